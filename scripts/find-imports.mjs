/** A `/` after one of these starts a regular expression; after anything else it divides. */
const beforeRegex =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))$/;

/**
 * Finds what a TypeScript or JavaScript source imports: `[{ specifier, line }]` in order, `specifier` undefined for an
 * import() of something computed.
 *
 * Reads `import`, `import type`, `export … from`, `import()`, `import("…")` in types, and `require()`. Text in comments,
 * strings and templates is not code. A scanner of our own, because it must run before anything is installed.
 */
export function findImports(source) {
  const { code, strings } = blankOut(source);
  const found = [];
  for (const match of code.matchAll(statement)) {
    const at = match.index + match[0].length - 1;
    found.push({ specifier: strings.get(at), line: lineOf(source, at) });
  }
  for (const match of code.matchAll(call)) {
    const at = match.index + match[0].length;
    const isWhole = strings.has(at) && /^["'`]\s*[,)]/.test(code.slice(endOf(code, at)));
    found.push({ specifier: isWhole ? strings.get(at) : undefined, line: lineOf(source, at) });
  }
  return found.sort((a, b) => a.line - b.line);
}

/** `import "x"`, `import … from "x"`, `export … from "x"`: ends on the opening quote. Clauses hold no quotes or `;`. */
const statement = /(?<![\w$.#])(?:import\s*|(?:import|export)\b[^"'`;()=]*?\bfrom\s*)["']/g;
/** `import(`, `require(`: ends on the first character of the argument. */
const call = /(?<![\w$.#])(?:import|require)\s*\(\s*/g;

function endOf(code, at) {
  return code.indexOf(code[at], at + 1);
}

function lineOf(source, at) {
  return source.slice(0, at).split("\n").length;
}

/**
 * The source with comments, regular expressions and the insides of strings turned to spaces, positions kept, and the
 * strings' values by the position of their opening quote. A template counts as a string when nothing is put into it.
 */
function blankOut(source) {
  const out = source.split("");
  const strings = new Map();
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " ";
  };
  // Braces open inside `${ … }`, one count for each template being read.
  const templates = [];
  let at = 0;
  while (at < source.length) {
    const two = source.slice(at, at + 2);
    const char = source[at];
    if (two === "//") {
      const end = indexOrEnd(source, "\n", at);
      blank(at, end);
      at = end;
    } else if (two === "/*") {
      const end = indexOrEnd(source, "*/", at + 2) + 2;
      blank(at, end);
      at = end;
    } else if (char === '"' || char === "'") {
      const end = endOfString(source, at);
      strings.set(at, source.slice(at + 1, end));
      blank(at + 1, end);
      at = end + 1;
    } else if (char === "`" || (char === "}" && templates.at(-1) === 0)) {
      if (char === "}") templates.pop();
      const { end, isOpen } = endOfTemplatePart(source, at);
      if (char === "`" && !isOpen) strings.set(at, source.slice(at + 1, end));
      blank(at + 1, end);
      if (isOpen) templates.push(0);
      at = end + (isOpen ? 2 : 1);
    } else if (
      char === "/" &&
      beforeRegex.test(
        out
          .slice(Math.max(0, at - 40), at)
          .join("")
          .trimEnd(),
      )
    ) {
      const end = endOfRegex(source, at);
      blank(at, end);
      at = end;
    } else {
      if (templates.length > 0 && char === "{") templates[templates.length - 1]++;
      if (templates.length > 0 && char === "}") templates[templates.length - 1]--;
      at++;
    }
  }
  return { code: out.join(""), strings };
}

function indexOrEnd(source, what, from) {
  const at = source.indexOf(what, from);
  return at === -1 ? source.length : at;
}

function endOfString(source, at) {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === source[at] || source[i] === "\n") return i;
  }
  return source.length;
}

/** From a backtick or the `}` of a substitution to the next `${` (open) or the closing backtick. */
function endOfTemplatePart(source, at) {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`") return { end: i, isOpen: false };
    else if (source[i] === "$" && source[i + 1] === "{") return { end: i, isOpen: true };
  }
  return { end: source.length, isOpen: false };
}

function endOfRegex(source, at) {
  let inClass = false;
  for (let i = at + 1; i < source.length; i++) {
    const char = source[i];
    if (char === "\n") return at + 1; // Not a regular expression after all.
    if (char === "\\") i++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return i + 1;
  }
  return at + 1;
}
