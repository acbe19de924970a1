import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { EmbeddedDatabaseError } from "./embedded-database-error.ts";
import { serverEnvironment } from "./server-environment.ts";

/**
 * As whom PostgreSQL runs. It refuses uid 0, and initdb a uid without a name.
 *
 * - `self`: as the caller. Everyone but root.
 * - `namespace`: in a user namespace of one line, where the caller's uid has another number. To the
 *   kernel it stays the caller: files keep their owner, and no folder has to be opened up. Not in a
 *   chroot, not under Docker's default seccomp profile.
 * - `dropped`: as an unprivileged account, which then owns `<stateDir>/postgres`. Needs every
 *   folder above to be searchable by it, which /root is not.
 * - `reaching`: as that account, with the one capability that lets it pass those folders. Data
 *   stays where the caller put it (a volume mounted below /root in a container), rather than in
 *   some other place.
 */
export type IdentityKind = "self" | "namespace" | "dropped" | "reaching";

export interface ServerIdentity {
  readonly kind: IdentityKind;
  /**
   * Stands before the program in argv. It replaces itself with the program: the pid is the
   * program's.
   */
  readonly prefix: readonly string[];
  readonly spawnAs: { readonly uid: number; readonly gid: number } | Record<string, never>;
  /** Who owns the files, as seen by the caller. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * The first of `kinds` (default: what suits the caller) under which a program runs and enters
 * `stateDir`.
 */
export function chooseIdentity(stateDir: string, kinds = suitableKinds()): ServerIdentity {
  const candidates = kinds.map(identityOf).filter((identity) => identity !== undefined);
  const chosen = candidates.find(
    (identity) => identity.kind === "self" || works(identity, stateDir),
  );
  if (chosen) return chosen;
  const tried = candidates.map(({ kind }) => kind).join(", ") || "none, /etc/passwd names none";
  throw new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_FAILED",
    message:
      `PostgreSQL refuses to run as root, and no unprivileged account can enter ${stateDir} ` +
      `(ways tried: ${tried}).`,
    remedy:
      "Run as another user than root, or set SPECKIT_HOME to a folder that everyone may enter, " +
      "such as one below /var/lib.",
  });
}

function suitableKinds(): readonly IdentityKind[] {
  if (process.geteuid?.() === 0) return ["namespace", "dropped", "reaching"];
  return hasName() ? ["self"] : ["namespace", "self"];
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

function identityOf(kind: IdentityKind): ServerIdentity | undefined {
  const caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  if (kind === "self") return { kind, prefix: [], spawnAs: {}, owner: caller };
  const account = unprivilegedAccount();
  if (!account) return undefined;
  const { uid, gid } = account;
  switch (kind) {
    case "namespace": {
      const prefix = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
      return { kind, prefix, spawnAs: {}, owner: caller };
    }
    case "dropped":
      return { kind, prefix: [], spawnAs: account, owner: account };
    case "reaching": {
      const capabilities = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"];
      // Without the securebit access(2), which initdb asks, forgets the capability.
      const ids = [
        `--reuid=${uid}`,
        `--regid=${gid}`,
        "--clear-groups",
        "--securebits=+no_setuid_fixup",
      ];
      return {
        kind,
        prefix: ["setpriv", ...ids, ...capabilities, "--"],
        spawnAs: {},
        owner: account,
      };
    }
  }
}

function unprivilegedAccount(): { uid: number; gid: number } | undefined {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

function works(identity: ServerIdentity, stateDir: string): boolean {
  const probe = ["/bin/sh", "-c", 'cd "$1" && test "$(id -u)" -ne 0', "sh", stateDir];
  const [program = "", ...args] = [...identity.prefix, ...probe];
  const options = {
    ...identity.spawnAs,
    cwd: "/",
    env: serverEnvironment(),
    stdio: "ignore",
  } as const;
  return spawnSync(program, args, options).status === 0;
}
