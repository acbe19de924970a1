import { SpeckitError } from "../../domain/speckit-error.ts";
import { type CheckedRemote, checkedRemote } from "./checked-remote.ts";
import type { GitContext } from "./context.ts";
import { isSign } from "./git-failures.ts";
import { remoteConfigFor } from "./remote-config.ts";

/** A remote that has answered, and what it said. */
export interface RemoteAnswer {
  /** Where it answered: give this one to the commands that follow. */
  readonly remote: CheckedRemote;
  readonly remoteConfig: string | undefined;
  /** Full ref name to id. */
  readonly refs: ReadonlyMap<string, string>;
  /** The ref `HEAD` stands for, undefined when the remote does not say. */
  readonly headRef: string | undefined;
}

/**
 * Asks a remote for some refs by their full names, or by `refs/heads/*`.
 *
 * Redirects: git is told to follow none, because libcurl would carry our credential's header to
 * whatever host is named. A redirect on the same host (a renamed repository, a missing `.git`) is
 * followed by us, with the new address as the remote of all later commands; one to another host ends
 * here, so no allow-list is passed by.
 */
export async function askRemote(
  context: Pick<GitContext, "git" | "folders" | "allowFile" | "deadlines">,
  gitRemote: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  let remote = checkedRemote(gitRemote, context.allowFile);
  const remoteConfig = await remoteConfigFor(context, remote);
  for (let hops = 0; ; hops++) {
    const command = {
      args: ["ls-remote", "--quiet", "--symref", "--", remote.url, ...names],
      remote,
      ...(remoteConfig === undefined ? {} : { remoteConfig }),
      deadlineMs: context.deadlines.askMs,
    } as const;
    try {
      const { stdout } = await context.git(command, signal);
      return { remote, remoteConfig, ...readRefs(stdout.toString("utf8"), names) };
    } catch (error) {
      if (remote.transport !== "https" || !isSign(error, "has_moved") || hops === MAX_HOPS) {
        throw error;
      }
      // Git names the new address only in its trace, in which it hides credentials itself.
      const traced = await context.git(
        {
          ...command,
          env: { GIT_TRACE_CURL: "1", GIT_TRACE_CURL_NO_DATA: "1", GIT_TRACE_REDACT: "1" },
          answers: [0, 128],
        },
        signal,
      );
      remote = movedTo(remote, traced.stderr, error);
    }
  }
}

const MAX_HOPS = 3;
const ASKED = "/info/refs?service=git-upload-pack";

function movedTo(remote: CheckedRemote, trace: string, error: SpeckitError): CheckedRemote {
  const location = /<= Recv header: location: (\S+)/i.exec(trace)?.[1];
  const target = location === undefined ? null : URL.parse(location, remote.url);
  const url = target?.href.endsWith(ASKED) ? target.href.slice(0, -ASKED.length) : undefined;
  if (target === null) {
    throw error;
  }
  if (url === undefined) {
    throw new SpeckitError(
      "REPOSITORY_NOT_FOUND",
      `${remote.gitRemote}: what answers leads to a page that is no repository`,
    );
  }
  const same = target.protocol === "https:" && target.host === new URL(remote.url).host;
  if (!same || target.username !== "" || target.password !== "") {
    throw new SpeckitError(
      "REPOSITORY_MOVED",
      `${remote.gitRemote}: the repository has moved to another host, ${target.protocol}//${target.host}`,
      { remedy: "Use the repository's new address; a redirect to another host is not followed." },
    );
  }
  return { ...checkedRemote(url, false), gitRemote: remote.gitRemote };
}

/** `ls-remote` takes names as patterns for the end of a ref: what was not asked for is dropped. */
function readRefs(text: string, names: readonly string[]): Pick<RemoteAnswer, "refs" | "headRef"> {
  const refs = new Map<string, string>();
  let headRef: string | undefined;
  for (const line of text.split("\n")) {
    const [value, name] = line.split("\t");
    if (value === undefined || name === undefined) {
      continue;
    }
    if (value.startsWith("ref: ")) {
      headRef = name === "HEAD" ? value.slice("ref: ".length) : headRef;
    } else if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value) && wasAsked(name, names)) {
      refs.set(name, value);
    }
  }
  return { refs, headRef };
}

function wasAsked(name: string, names: readonly string[]): boolean {
  return names.some((asked) =>
    asked.endsWith("/*") ? name.startsWith(asked.slice(0, -1)) : name === asked,
  );
}
