import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { execa } from "execa";
import { type Keeper, openKeeper } from "./keeper.ts";

/** Programs of util-linux and coreutils a PID namespace is made with, as absolute paths. */
interface NamespaceTools {
  readonly bash: string;
  readonly unshare: string;
  readonly nsenter: string;
  readonly setsid: string;
  readonly env: string;
}

/** How an agent is kept from outliving its supervisor on this machine. */
export type Containment =
  | {
      readonly kind: "pid_namespace";
      readonly tools: NamespaceTools;
      /** A user namespace around it: needed, and possible, for everyone but root. */
      readonly ownUser: boolean;
      /** `/proc` shows the namespace's own processes; refused in some containers. */
      readonly ownProc: boolean;
    }
  | { readonly kind: "process_group"; readonly bash: string; readonly why: string };

type PidNamespace = Extract<Containment, { readonly kind: "pid_namespace" }>;

/**
 * Finds out by doing it: opens a namespace and starts `true` in it. The answer holds for this
 * process's life; making one costs about 30 ms.
 */
export async function probeContainment(): Promise<Containment> {
  const bash = (await findTool("bash")) ?? "bash";
  if (process.platform !== "linux") {
    return { kind: "process_group", bash, why: `no PID namespaces on ${process.platform}` };
  }
  const found: Record<string, string> = { bash };
  for (const name of ["unshare", "nsenter", "setsid", "env"] as const) {
    const path = await findTool(name);
    if (path === undefined) {
      return { kind: "process_group", bash, why: `${name} is not installed` };
    }
    found[name] = path;
  }
  const tools = found as unknown as NamespaceTools;
  const ownUser = process.getuid?.() !== 0;
  let why = "";
  for (const ownProc of [true, false]) {
    const candidate: PidNamespace = { kind: "pid_namespace", tools, ownUser, ownProc };
    try {
      await tryOut(candidate);
      return candidate;
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      why = reason instanceof Error ? reason.message : String(reason);
    }
  }
  return { kind: "process_group", bash, why };
}

async function tryOut(candidate: PidNamespace): Promise<void> {
  const keeper = await openNamespace(candidate, 10_000);
  try {
    const [file, ...rest] = intoNamespace(candidate, keeper, "/", [candidate.tools.env, "true"]);
    const result = await execa(file, rest, {
      env: { PATH: "/usr/bin:/bin" },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      timeout: 10_000,
    });
    if (result.exitCode !== 0) {
      throw new Error(result.stderr.split("\n")[0] || result.shortMessage);
    }
  } finally {
    keeper.close();
    await keeper.gone;
  }
}

/** Opens a PID namespace with a keeper as its first process. */
export function openNamespace(containment: PidNamespace, keepAliveMs: number): Promise<Keeper> {
  const { tools, ownUser, ownProc } = containment;
  const launch = [
    tools.unshare,
    ...(ownUser ? ["--user", "--map-current-user"] : []),
    "--pid",
    "--fork",
    "--kill-child",
    ...(ownProc ? ["--mount-proc"] : []),
    "--",
  ];
  return openKeeper({ launch, bash: tools.bash, target: "-1", keepAliveMs });
}

/**
 * The command that runs another one inside a keeper's namespace.
 *
 * `setsid` gives the agent a session of its own: a `kill 0` in it must not reach `nsenter`, which
 * stands outside and passes on its exit. The working directory is set inside (`env --chdir`), since
 * entering a mount namespace forgets it.
 *
 * @param argv absolute path of an executable, and its arguments
 */
export function intoNamespace(
  containment: PidNamespace,
  keeper: Keeper,
  directory: string,
  argv: readonly string[],
): [string, ...string[]] {
  const { tools, ownUser, ownProc } = containment;
  // `unshare` itself is not in the new PID namespace, only its children are: hence `for_children`.
  const namespaces = `/proc/${keeper.pid}/ns`;
  return [
    tools.nsenter,
    ...(ownUser ? ["--preserve-credentials", `--user=${namespaces}/user`] : []),
    ...(ownProc ? [`--mount=${namespaces}/mnt`] : []),
    `--pid=${namespaces}/pid_for_children`,
    "--",
    tools.env,
    `--chdir=${directory}`,
    tools.setsid,
    ...argv,
  ];
}

async function findTool(name: string): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(delimiter).concat("/usr/bin", "/bin", "/usr/sbin");
  for (const folder of folders.filter((entry) => isAbsolute(entry))) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    ) {
      return path;
    }
  }
  return undefined;
}
