import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@speckit/testkit";
import { type StandInGateway, standInGateway } from "./stand-in-gateway.ts";

const entry = fileURLToPath(new URL("../job/src/speckit-job.mjs", import.meta.url));
export const bridgeProgram = fileURLToPath(
  new URL("../job/src/speckit-bridge.mjs", import.meta.url),
);

/** Of a line, after which the entry program puts in a newline; docs/job-image.md. */
const LINE_BYTES = 16_000;

export const token = "start-token-of-this-test";

export interface EntryBench extends AsyncDisposable {
  /** Stands for `/speckit`. */
  readonly folder: string;
  readonly socketPath: string;
  readonly bridgePort: number;
  readonly gateway: () => Promise<StandInGateway>;
  /** Writes job.json and starts the entry program on it. */
  readonly start: (
    argv: readonly string[],
    more?: Record<string, unknown>,
  ) => Promise<RunningEntry>;
  /** The same for a job with secrets, whose stdin is left to the test. */
  readonly startWithStdin: EntryBench["start"];
}

export interface Exit {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The last line of stdout. */
  readonly trailer: Record<string, unknown>;
  /** What the reader of the log takes for the agent's, by the trailer's counts. */
  readonly agentStdout: Buffer;
  readonly agentStderr: Buffer;
}

export interface RunningEntry {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
}

/** As a container without a network has it: loopback, and no route anywhere. */
const inItsOwnNetwork = [
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
  ...["--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"],
];

/** The entry program as a real process, in a network namespace of its own and a folder that stands for its volume. */
export async function entryBench(): Promise<EntryBench> {
  const temp = await tempFolder("entry");
  const folder = temp.path;
  const socketPath = join(folder, "gateway.sock");
  const bridgePort = await freePort();
  await mkdir(join(folder, "workspace"));
  await mkdir(join(folder, "home"));
  async function writeJob(argv: readonly string[], more: Record<string, unknown>): Promise<string> {
    const job = {
      v: 1,
      argv,
      env: {},
      cwd: join(folder, "workspace"),
      token,
      gateway: socketPath,
      bridgePort,
      freeBytesFloor: 0,
      livenessMs: 100,
      giveUpMs: 400,
      ...more,
    };
    await writeFile(join(folder, "job.json"), JSON.stringify(job), { mode: 0o600 });
    return join(folder, "job.json");
  }
  return {
    folder,
    socketPath,
    bridgePort,
    gateway: () => standInGateway(socketPath, token),
    start: async (argv, more = {}) => startEntry(await writeJob(argv, more)),
    startWithStdin: async (argv, more = {}) =>
      startEntry(await writeJob(argv, { v: 2, ...more }), "pipe"),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

export function startEntry(jobPath: string, stdin: "ignore" | "pipe" = "ignore"): RunningEntry {
  const child = spawn("unshare", [...inItsOwnNetwork, process.execPath, entry, jobPath], {
    env: { PATH: process.env.PATH ?? "", SECRET_OF_THE_CONTAINER: "not for the agent" },
    stdio: [stdin, "pipe", "pipe"],
  });
  return { child, exit: exitOf(child) };
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const stdoutPieces: Buffer[] = [];
  const stderrPieces: Buffer[] = [];
  child.stdout?.on("data", (piece) => stdoutPieces.push(piece));
  child.stderr?.on("data", (piece) => stderrPieces.push(piece));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const stdout = Buffer.concat(stdoutPieces);
  const stderr = Buffer.concat(stderrPieces);
  // One that a test has killed has none.
  const trailer = code === null ? {} : JSON.parse(lastLine(stdout));
  return {
    code,
    stdout,
    stderr,
    trailer,
    agentStdout: joined(stdout).subarray(0, trailer.stdoutBytes),
    agentStderr: joined(stderr).subarray(0, trailer.stderrBytes),
  };
}

/** Without the newlines that were put into long lines. */
function joined(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(10, at);
    const end = found === -1 ? bytes.length : found;
    parts.push(bytes.subarray(at, end - at === LINE_BYTES ? end : end + 1));
    at = end + 1;
  }
  return Buffer.concat(parts);
}

function lastLine(bytes: Buffer): string {
  const end = bytes.length - 1;
  return bytes.subarray(bytes.lastIndexOf(10, end - 1) + 1, end).toString();
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
