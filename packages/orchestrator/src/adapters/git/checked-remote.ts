import { SpeckitError } from "../../domain/speckit-error.ts";
import { hasControlCharacter } from "./control-characters.ts";

/** A remote git may be given, and the one transport it may use for it. */
export interface CheckedRemote {
  /** As the run has it: names the cache, and stands in messages. */
  readonly gitRemote: string;
  /** What git is given; differs from `gitRemote` after a redirect on the same host. */
  readonly url: string;
  readonly transport: "https" | "ssh" | "file";
  /** Lower case, with the port unless it is the default; empty for `file`. */
  readonly host: string;
  /** Of a `file` remote: the path on this machine. */
  readonly path: string | undefined;
}

/**
 * Lets through the four shapes `parseRepository` yields, again: this is the last line of code before
 * a program that runs commands for `ext::` and takes `-x` for an option.
 *
 * @throws SpeckitError `REPOSITORY_INVALID`, or `REPOSITORY_NOT_ALLOWED` for a path of this machine
 */
export function checkedRemote(gitRemote: string, allowFile: boolean): CheckedRemote {
  if (hasControlCharacter(gitRemote) || gitRemote.startsWith("-")) {
    throw invalid(gitRemote);
  }
  if (gitRemote.startsWith("file:///")) {
    return fileRemote(gitRemote, allowFile);
  }
  if (/\s/.test(gitRemote)) {
    throw invalid(gitRemote);
  }
  const url = /^(https|ssh):\/\/(?:([A-Za-z0-9_][A-Za-z0-9_.-]*)@)?([^@/:]+(?::\d+)?)\/./.exec(
    gitRemote,
  );
  const [, scheme, user, host] = url ?? [];
  if (host !== undefined && isHost(host)) {
    if (scheme === "ssh") {
      return {
        gitRemote,
        url: gitRemote,
        transport: "ssh",
        host: host.toLowerCase(),
        path: undefined,
      };
    }
    if (user === undefined) {
      return {
        gitRemote,
        url: gitRemote,
        transport: "https",
        host: httpsHost(host),
        path: undefined,
      };
    }
  }
  const scpHost = /^[A-Za-z0-9_][A-Za-z0-9_.-]*@([^@/:]+):[^:-]/.exec(gitRemote)?.[1];
  if (scpHost !== undefined && isHost(scpHost)) {
    return {
      gitRemote,
      url: gitRemote,
      transport: "ssh",
      host: scpHost.toLowerCase(),
      path: undefined,
    };
  }
  throw invalid(gitRemote);
}

/** Host of an https URL as credentials name it. */
export function httpsHost(host: string): string {
  return host.toLowerCase().replace(/:443$/, "");
}

function isHost(host: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/.test(host);
}

function fileRemote(gitRemote: string, allowFile: boolean): CheckedRemote {
  if (!allowFile) {
    throw new SpeckitError(
      "REPOSITORY_NOT_ALLOWED",
      `${gitRemote}: expected an https or ssh remote, got a path of this machine`,
    );
  }
  const path = gitRemote.slice("file://".length);
  if (path.split("/").includes("..")) {
    throw invalid(gitRemote);
  }
  // Git decodes the path of a URL; ours is the path itself.
  const url = `file://${path.replaceAll("%", "%25")}`;
  return { gitRemote, url, transport: "file", host: "", path };
}

function invalid(gitRemote: string): SpeckitError {
  const shown = JSON.stringify(gitRemote.replace(/\/\/[^/@]*@/, "//…@").slice(0, 200));
  return new SpeckitError(
    "REPOSITORY_INVALID",
    `Expected an https, ssh or file remote without a credential, got ${shown}`,
  );
}
