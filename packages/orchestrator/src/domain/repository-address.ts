/** Where a request's `repository` points. */
export interface RepositoryAddress {
  /** `owner/name` for GitHub, else the address: what people see, and what the allow-list names. */
  readonly repository: string;
  /** What git is given. Never holds a credential. One repository of GitHub has one, in lower case. */
  readonly gitRemote: string;
  readonly kind: "https" | "ssh" | "file";
}

export type AddressProblem = { readonly problem: string };

/** Whatever would not show, or as something else: control characters, every space but U+0020, direction marks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const NAME = /^[A-Za-z0-9_.-]+$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;
const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * Reads `owner/name`, `https://host/path`, `ssh://user@host/path`, `user@host:path`, `file:///path`
 * or an absolute path. An allow-list of shapes, since git takes far more than these (`ext::` runs a
 * command, a leading `-` is an option).
 */
export function parseRepository(text: string): RepositoryAddress | AddressProblem {
  if (text.length === 0 || text.length > 2_000) {
    return { problem: `expected 1 to 2000 characters, got ${text.length}` };
  }
  if (UNPRINTABLE.test(text) || !text.isWellFormed()) {
    return { problem: "expected no newline, control or invisible character" };
  }
  if (text.startsWith("-")) {
    return { problem: "expected an address, got something that starts with '-'" };
  }
  if (text.startsWith("/")) {
    return fileAddress(text);
  }
  if (text.includes(" ")) {
    return { problem: "expected no space" };
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case "https":
      return urlAddress(text, "https");
    case "ssh":
      return urlAddress(text, "ssh");
    case "file":
      return text.startsWith("file:///")
        ? fileAddress(decoded(text.slice("file://".length)))
        : { problem: "expected file:///absolute/path" };
    case undefined:
      return text.includes("::") ? unsupported(text.split("::", 1)[0] ?? "") : shortAddress(text);
    default:
      return unsupported(scheme);
  }
}

function unsupported(transport: string): AddressProblem {
  const expected = "expected https, ssh or owner/name";
  // Anything else in front of the colons could be a credential.
  return /^[A-Za-z][A-Za-z0-9+.-]{0,30}$/.test(transport)
    ? { problem: `${expected}, got the transport '${transport}'` }
    : { problem: expected };
}

function shortAddress(text: string): RepositoryAddress | AddressProblem {
  const scp = /^([^@/:]+)@([^@/:]+):(.+)$/.exec(text);
  if (scp?.[1] !== undefined && scp[2] !== undefined && scp[3] !== undefined) {
    return SSH_USER.test(scp[1]) && HOST.test(scp[2]) && isSafePath(scp[3])
      ? { repository: text, gitRemote: text, kind: "ssh" }
      : { problem: "expected user@host:path" };
  }
  const [owner, name, ...rest] = text.split("/");
  if (
    owner === undefined ||
    name === undefined ||
    rest.length > 0 ||
    !isGitHubName(owner) ||
    !isGitHubName(name.replace(/\.git$/, ""))
  ) {
    return { problem: "expected owner/name, an https or ssh URL" };
  }
  const repository = `${owner}/${name.replace(/\.git$/, "")}`;
  const gitRemote = `https://github.com/${repository.toLowerCase()}.git`;
  return { repository, gitRemote, kind: "https" };
}

function isGitHubName(text: string): boolean {
  return NAME.test(text) && !text.startsWith(".") && !text.startsWith("-");
}

function urlAddress(text: string, kind: "https" | "ssh"): RepositoryAddress | AddressProblem {
  const parts = /^[a-z]+:\/\/(?:([^@/]*)@)?([^@/]+)\/(.+)$/i.exec(text);
  const [, user, host, path] = parts ?? [];
  if (host === undefined || path === undefined || !HOST.test(host)) {
    return { problem: `expected ${kind}://host/path` };
  }
  if (user !== undefined && (kind === "https" || !SSH_USER.test(user))) {
    return {
      problem: "expected an address without user or password: credentials are configuration",
    };
  }
  if (path.startsWith("/") || !isSafePath(path)) {
    return {
      problem: "expected a path without '..', '//', '?', '#' or a part that starts with '-'",
    };
  }
  const gitRemote = `${kind}://${user === undefined ? "" : `${user}@`}${host.toLowerCase()}/${path}`;
  const gitHub = /^https:\/\/github\.com\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(gitRemote);
  return gitHub?.[1] !== undefined && gitHub[2] !== undefined
    ? shortAddress(`${gitHub[1]}/${gitHub[2]}`)
    : { repository: gitRemote, gitRemote, kind };
}

function fileAddress(path: string): RepositoryAddress | AddressProblem {
  if (path.split("/").includes("..") || UNPRINTABLE.test(path)) {
    return { problem: "expected an absolute path without '..', newline or control character" };
  }
  const clean = path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  const gitRemote = `file://${clean}`;
  return { repository: gitRemote, gitRemote, kind: "file" };
}

/** Also of what it stands for: git and servers decode a path before they walk it. */
function isSafePath(path: string): boolean {
  return [path, decoded(path)].every(isPlainPath);
}

function isPlainPath(path: string): boolean {
  return (
    !/[?#\\]/.test(path) &&
    !UNPRINTABLE.test(path) &&
    path
      .replace(/\/$/, "")
      .split("/")
      .every((part, ix) => (part.length > 0 || ix === 0) && part !== ".." && !part.startsWith("-"))
  );
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * Whether a deployment's allow-list admits an address. Patterns are `owner/name`, `owner/*`,
 * `https://host/*`, `ssh://…`, `git@host:*` or `file:///folder/*`; `*` at the end stands for
 * anything below, and only there. Of a GitHub address, case does not matter.
 *
 * @param patterns undefined: every https and ssh address, but no path of the worker's own machine
 */
export function isRepositoryAllowed(
  address: RepositoryAddress,
  patterns: readonly string[] | undefined,
): boolean {
  if (patterns === undefined) {
    return address.kind !== "file";
  }
  return patterns.some((pattern) => matches(address, pattern));
}

function matches(address: RepositoryAddress, pattern: string): boolean {
  if (pattern === "*") {
    return address.kind !== "file";
  }
  const isOnGitHub = address.gitRemote.startsWith("https://github.com/");
  const folded = (text: string): string => (isOnGitHub ? text.toLowerCase() : text);
  const wanted = folded(pattern);
  const { repository, gitRemote } = address;
  const names = [repository, gitRemote, gitRemote.replace(/\.git$/, "")].map(folded);
  return wanted.endsWith("*")
    ? names.some((name) => name.startsWith(wanted.slice(0, -1)))
    : names.includes(wanted);
}
