/** What `.specify/extensions.yml` says, as far as it matters to a run. */
export interface Extensions {
  readonly installed: readonly string[];
  /** There are commands to be carried out before or after a phase. */
  readonly hasHooks: boolean;
}

const MAX_INSTALLED = 50;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/;

/** Reads the list of installed extensions in either form of YAML's lists; no file: none. */
export function readExtensions(text: string | undefined): Extensions {
  const installed = sectionOf(text ?? "", "installed")
    .replace(/^[^:]*:/, "")
    .split(/[\n,[\]]/)
    .map((item) =>
      item
        .replace(/^\s*-/, "")
        .replace(/\s#.*$/, "")
        .trim()
        .replace(/^(["'])(.*)\1$/, "$2"),
    )
    .filter((item) => ID.test(item));
  return {
    installed: [...new Set(installed)].slice(0, MAX_INSTALLED),
    hasHooks: /\bcommand\b/.test(sectionOf(text ?? "", "hooks")),
  };
}

/** A top-level entry of the document: its line, and those that belong to it. */
function sectionOf(text: string, key: string): string {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => new RegExp(`^["']?${key}["']?\\s*:`).test(line));
  const end = lines.findIndex((line, ix) => ix > start && /^[A-Za-z0-9_"']/.test(line));
  return start === -1 ? "" : lines.slice(start, end === -1 ? undefined : end).join("\n");
}

/**
 * What an agent finds in the place of `.specify/extensions.yml` while hooks are off. A whole new
 * document, not the old one with something cut out: no form of YAML can hide a hook from it.
 */
export const EXTENSIONS_WITHOUT_HOOKS = `# Hooks of extensions are off in this run. The project's own file stays as it is.
installed: []
settings:
  auto_execute_hooks: false
hooks: {}
`;
