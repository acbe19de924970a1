/**
 * The instructions a file holds, whatever they are wrapped in: YAML front matter before Markdown, or
 * a TOML document with a `prompt`. Placeholders stand in it as they are. Empty when there is nothing.
 */
export function instructionsText(path: string, content: string): string {
  const text = path.endsWith(".toml") ? promptOfToml(content) : withoutFrontMatter(content);
  return text.trim();
}

/**
 * Puts the argument of a command where its instructions want it. In one pass, so that a sentence
 * that mentions a placeholder is not filled in again.
 */
export function fillArguments(instructions: string, argument: string): string {
  return instructions.replace(/\$ARGUMENTS\b|\{ARGS\}|\{\{args\}\}/g, () => argument);
}

/** Text without a YAML block at its very start. */
function withoutFrontMatter(text: string): string {
  return text.replace(/^\uFEFF?---[ \t]*\r?\n(?:[^\n]*\n)*?---[ \t]*(?:\r?\n|$)/, "");
}

const PROMPT =
  /^prompt[ \t]*=[ \t]*(?:"""\r?\n?(?<text>(?:[^\\]|\\[\s\S])*?)"""|'''\r?\n?(?<literal>[\s\S]*?)'''|"(?<line>(?:[^"\\\n]|\\.)*)"|'(?<literalLine>[^'\n]*)')/m;

/** The value of `prompt`: the only thing of TOML that is used here. */
function promptOfToml(text: string): string {
  const { text: block, line, literal, literalLine } = PROMPT.exec(text)?.groups ?? {};
  return literal ?? literalLine ?? unescaped(block ?? line ?? "");
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\",
};

function unescaped(text: string): string {
  return text.replace(
    /\\(?:[ \t]*\r?\n\s*|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g,
    (whole, short: string | undefined, long: string | undefined, letter: string | undefined) => {
      if (letter !== undefined) {
        return ESCAPES[letter] ?? whole;
      }
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (Number.isNaN(code)) {
        return "";
      }
      return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
