/**
 * A RabbitMQ server of our own, for tests and for a fleet on one machine.
 *
 * Three processes, all children of ours and all signalled by the kernel when we die: `epmd`
 * (Erlang's name server; started by us in the foreground, because the one that Erlang would start
 * itself is a daemon that outlives everything), the broker, and a shell that removes the folder
 * when we cannot. A cut in any step of the start undoes the steps before it. The data lives in the
 * folder and survives `restart`, not `stop`.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type BrokerPorts, brokerSettings, dataFolder } from "./broker-settings.ts";
import { freePort } from "./free-port.ts";
import { guardedFolder } from "./guarded-folder.ts";
import { type GuardedProcess, startGuarded } from "./guarded-process.ts";
import { folderOfQuickDisk } from "./quick-disk.ts";
import { waitForPort } from "./wait-for-port.ts";

export interface PrivateBrokerOptions {
  /** How long a start may take, in milliseconds. Default 120 000; an idle machine needs 8 000. */
  readonly startWithinMs?: number;
  /** Folder of RabbitMQ's own scripts. Default `/usr/lib/rabbitmq/bin`, where Debian puts them. */
  readonly binaries?: string;
}

export interface PrivateBroker extends AsyncDisposable {
  /** `amqp://guest:guest@127.0.0.1:<port>`; the same after a restart. */
  readonly url: string;
  /** Of the broker that runs now. */
  readonly pid: number;
  /** The folder with its data and log. */
  readonly folder: string;
  /** What the broker has printed, in `folder`. */
  readonly logPath: string;
  /**
   * Ends the broker, with SIGKILL if `kill`, else in good order, and starts it again at the same
   * address: on its data, or with none of it if `wipe`.
   */
  readonly restart: (options?: {
    readonly kill?: boolean;
    readonly wipe?: boolean;
  }) => Promise<void>;
  /** Runs `rabbitmqctl` on it, for example `["list_connections"]`; resolves with what it prints. Takes 1 s. */
  readonly control: (args: readonly string[]) => Promise<string>;
  /** Ends everything and removes the folder. May be called twice. */
  readonly stop: () => Promise<void>;
}

/** `code`: `NOT_INSTALLED` (the message names the package) or `NOT_STARTED` (it has the log's end). */
export class PrivateBrokerError extends Error {
  override readonly name = "PrivateBrokerError";
  readonly code: "NOT_INSTALLED" | "NOT_STARTED";

  constructor(code: "NOT_INSTALLED" | "NOT_STARTED", message: string) {
    super(message);
    this.code = code;
  }
}

const PORT_CHOICES = 3;

/**
 * Starts a private RabbitMQ server on loopback and resolves when it takes connections. Works as
 * root and as any other user.
 *
 * @throws PrivateBrokerError
 */
export async function startPrivateBroker(
  options: PrivateBrokerOptions = {},
): Promise<PrivateBroker> {
  const server = join(options.binaries ?? "/usr/lib/rabbitmq/bin", "rabbitmq-server");
  if (!existsSync(server)) {
    throw new PrivateBrokerError(
      "NOT_INSTALLED",
      `RabbitMQ is not installed: there is no ${server}. ` +
        "Run `apt-get install --no-install-recommends rabbitmq-server`, or set AMQP_URL to a running one.",
    );
  }
  for (let choice = 1; ; choice += 1) {
    try {
      return await startOnce(server, options.startWithinMs ?? 120_000);
    } catch (error) {
      // Somebody took one of the ports between our look and the broker's.
      if (choice >= PORT_CHOICES || !/eaddrinuse|already[ _](in use|used)/i.test(String(error))) {
        throw error;
      }
    }
  }
}

async function startOnce(server: string, withinMs: number): Promise<PrivateBroker> {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await guardedFolder("speckit-broker-", folderOfQuickDisk()));
  const ports = { amqp: await freePort(), distribution: await freePort(), epmd: await freePort() };
  const env = await brokerSettings(folder, ports);
  const common = { cwd: folder, env, signalOnOurDeath: "KILL" } as const;

  const epmdArgs = ["-port", String(ports.epmd), "-address", "127.0.0.1"];
  const epmd = await startGuarded("epmd", epmdArgs, {
    ...common,
    logPath: join(folder, "epmd.log"),
  });
  undo.defer(() => epmd.end("SIGKILL", 0));

  const logPath = join(folder, "broker.log");
  const start = () => startGuarded(server, [], { ...common, logPath });
  let broker = await start();
  // The data goes with the folder: there is nothing an orderly end would save.
  undo.defer(() => broker.end("SIGKILL", 0));
  await ready(broker, epmd, ports, withinMs);

  const owned = undo.move();
  const stop = () => owned.disposeAsync();
  return {
    url: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
    get pid() {
      return broker.pid;
    },
    folder,
    logPath,
    async restart({ kill = false, wipe = false } = {}) {
      await broker.end(kill ? "SIGKILL" : "SIGTERM", 30_000);
      if (wipe) {
        await rm(dataFolder(folder), { recursive: true, force: true });
      }
      broker = await start();
      await ready(broker, epmd, ports, withinMs);
    },
    async control(args) {
      const ctl = join(dirname(server), "rabbitmqctl");
      const { stdout } = await promisify(execFile)(ctl, ["--quiet", ...args], { cwd: folder, env });
      return stdout;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function ready(
  broker: GuardedProcess,
  epmd: GuardedProcess,
  ports: BrokerPorts,
  withinMs: number,
): Promise<void> {
  const over = new AbortController();
  const deadline = setTimeout(() => over.abort(`not ready after ${withinMs} ms`), withinMs);
  void broker.ended.then((how) => over.abort(`it ended: ${how}`));
  void epmd.ended.then((how) => over.abort(`epmd ended (port already in use?): ${how}`));
  const isUp = await waitForPort(ports.amqp, over.signal);
  clearTimeout(deadline);
  if (!isUp) {
    throw new PrivateBrokerError(
      "NOT_STARTED",
      `The private RabbitMQ did not start, ${over.signal.reason}. Its log ends with:\n${await broker.lastLines(30)}`,
    );
  }
}
