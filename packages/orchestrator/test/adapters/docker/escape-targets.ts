import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, testEngine } from "@speckit/testkit";
import { labelsOf, objectName } from "../../../src/adapters/docker/job-objects.ts";
import { JOB_USER } from "../../../src/adapters/docker/tar/pack-folder.ts";
import { attemptFolder } from "../../../src/domain/attempt-folder.ts";
import type { DockerBench } from "./docker-bench.ts";

/** What somebody who gets out of a container may find: all of it the test's own, most of it marked with `word`. */
export interface EscapeTargets extends AsyncDisposable {
  /** Nowhere else: who has it has been there. */
  readonly word: string;
  readonly engine: { readonly socket: string; readonly group: string };
  /** This machine, which says `word` on a port of all its addresses, and at a socket that has a name but no file. */
  readonly host: {
    readonly port: number;
    readonly abstractSocket: string;
    /** Those that are still there: other tests' networks come and go. */
    readonly addresses: (which?: "on networks") => readonly string[];
    /** A process that calls itself by `word`, of the user that jobs have. */
    readonly processId: number;
    /** Has `secret-file`, with `word` in it. */
    readonly folder: string;
  };
  /** Of another run, with `word` in its `workspace/secret-plan`; `folder` is where the engine keeps it. */
  readonly otherVolume: { readonly name: string; readonly folder: string };
  /** The folder of that run's attempt in the gateway's volume: its socket's answers have it in their header `owner`. */
  readonly otherDoor: string;
  /** On the engine's bridge; says `word` on port 80 of all its addresses. */
  readonly otherContainer: { readonly id: string; readonly address: string };
}

/**
 * Addresses of the other container too, each for something that not every machine has or may call: what clouds tell
 * their machines, and the internet, with a resolver that knows every name by this address. Whoever shares the
 * container's network is where these lead somewhere; the machine's own network stays as it is.
 */
export const METADATA = "169.254.169.254";
export const INTERNET = "203.0.113.7";

/** The engine must be of this machine, and the test root, to have a process as the user that jobs have. */
export async function openEscapeTargets(bench: DockerBench): Promise<EscapeTargets> {
  const word = `word-${randomUUID()}`;
  await using undo = new AsyncDisposableStack();

  const abstractSocket = `speckit-${randomUUID()}`;
  const ports = await Promise.all(
    [0, `\0${abstractSocket}`].map(async (at) => {
      const server = createServer((socket) => void socket.on("error", () => {}).end(`${word}\n`));
      await once(server.listen(at), "listening");
      undo.defer(() => void server.close());
      return (server.address() as AddressInfo).port;
    }),
  );

  const process = spawn("sleep", ["600"], { argv0: word, uid: JOB_USER, stdio: "ignore" });
  undo.defer(() => void process.kill("SIGKILL"));
  await once(process, "spawn");

  const folder = await mkdtemp(join(tmpdir(), "speckit-escape-"));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  await writeFile(join(folder, "secret-file"), word);

  const otherRun = await bench.shell("");
  await writeFile(join(otherRun.workspace, "secret-plan"), word);
  await bench.runtime().prepare(otherRun, new AbortController().signal);
  const otherVolume = objectName(bench.deploymentId, otherRun);

  const dockerHost = new URL(testEngine().dockerHost);
  const addresses = addressesOfHost();
  const targets = {
    word,
    engine: {
      socket: dockerHost.pathname,
      group: String((await stat(dockerHost.pathname)).gid),
    },
    host: {
      port: ports[0] as number,
      abstractSocket,
      addresses(which?: "on networks") {
        const now = addressesOfHost(which);
        return addresses.filter((address) => now.includes(address));
      },
      processId: process.pid as number,
      folder,
    },
    otherVolume: {
      name: otherVolume,
      folder: (await bench.docker.getVolume(otherVolume).inspect()).Mountpoint,
    },
    otherDoor: attemptFolder(otherRun),
    otherContainer: await startOtherContainer(bench, word),
  };
  const owned = undo.move();
  return { ...targets, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Those of containers' own ends left out: they are gone with their container, and lead nowhere else. */
function addressesOfHost(which: "on networks" | "all" = "all"): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !name.startsWith("veth"))
    .flatMap(([name, addresses = []]) =>
      addresses
        .filter(({ internal, family }) => which === "all" || (!internal && family === "IPv4"))
        .map(({ address, scopeid }) => (scopeid ? `${address}%${name}` : address)),
    );
}

/** Debian's base has no program that gives an interface an address; this is SIOCSIFADDR. */
const GIVE_ADDRESSES = `
  socket(my $socket, 2, 2, 0) or die $!;
  my $n = 0;
  for my $address (@ARGV) {
    my $request = pack("a16 S n a4 x8", "lo:" . ++$n, 2, 0, pack("C4", split(/[.]/, $address)));
    ioctl($socket, 0x8916, $request) or die $!;
  }`;

const OTHER_CONTAINER = `
  const [word, metadata, internet] = process.argv.slice(1);
  require("node:child_process").execFileSync("perl", ["-e", process.env.GIVE_ADDRESSES, metadata, internet]);
  require("node:net").createServer((socket) => socket.on("error", () => {}).end(word + "\\n")).listen(80);
  const resolver = require("node:dgram").createSocket("udp4").bind(53, internet, () => console.log("ready"));
  resolver.on("message", (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isIPv4 = question.at(-3) === 1;
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isIPv4 ? 1 : 0, 0, 0, 0, 0]);
    const answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...internet.split(".").map(Number)];
    resolver.send(Buffer.concat([head, question, Buffer.from(isIPv4 ? answer : [])]), port, address);
  });`;

/** Removed with its deployment. */
async function startOtherContainer(
  { docker, deploymentId, image }: DockerBench,
  word: string,
): Promise<EscapeTargets["otherContainer"]> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [],
    Cmd: ["node", "-e", OTHER_CONTAINER, word, METADATA, INTERNET],
    Env: [`GIVE_ADDRESSES=${GIVE_ADDRESSES}`],
    User: "0:0",
    Labels: { ...labelsOf(deploymentId, "ask") },
    HostConfig: { Init: true, NetworkMode: "bridge", CapAdd: ["NET_ADMIN"], Dns: [INTERNET] },
  });
  await container.start();
  await eventually(
    "the other container is ready",
    async () => String(await container.logs({ stdout: true, stderr: true })),
    (said) => said.includes("ready"),
  );
  const { NetworkSettings } = await container.inspect();
  return { id: container.id, address: NetworkSettings.Networks.bridge?.IPAddress ?? "" };
}
