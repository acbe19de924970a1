import type { OpenApiDocument, OperationText } from "./load-description.ts";

/** The operation that a request is for. */
export interface FoundOperation {
  /** `GET /repos/{owner}/{repo}`. */
  readonly route: string;
  readonly operation: OperationText;
  /** Decoded. */
  readonly path: Readonly<Record<string, string>>;
}

interface Template {
  readonly template: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

const templates = new WeakMap<OpenApiDocument, readonly Template[]>();

/** @returns undefined when GitHub has no such operation */
export function findOperation(
  document: OpenApiDocument,
  method: string,
  pathname: string,
): FoundOperation | undefined {
  for (const { template, pattern, names } of templatesOf(document)) {
    const values = pattern.exec(pathname);
    const operation = document.paths[template]?.[method.toLowerCase()];
    if (values !== null && operation !== undefined) {
      const path = Object.fromEntries(
        names.map((name, ix) => [name, decodeURIComponent(values[ix + 1] ?? "")]),
      );
      return { route: `${method} ${template}`, operation, path };
    }
  }
  return undefined;
}

/** Those with fewer placeholders first: `/repos/{owner}/{repo}/pulls/comments` before `…/pulls/{pull_number}`. */
function templatesOf(document: OpenApiDocument): readonly Template[] {
  const present = templates.get(document);
  if (present !== undefined) {
    return present;
  }
  const made = Object.keys(document.paths)
    .map((template) => ({
      template,
      pattern: new RegExp(
        `^${template.replaceAll(/[.+*?()[\]|^$]/g, "\\$&").replaceAll(/\{[^}]+\}/g, "([^/]+)")}$`,
      ),
      names: [...template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? ""),
    }))
    .sort((a, b) => a.names.length - b.names.length);
  templates.set(document, made);
  return made;
}
