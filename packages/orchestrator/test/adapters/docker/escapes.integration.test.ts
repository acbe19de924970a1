import type Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerLimits } from "../../../src/adapters/docker/index.ts";
import { GATEWAY_FOLDER } from "../../../src/adapters/docker/job-file.ts";
import { labelsOf, namePrefix } from "../../../src/adapters/docker/job-objects.ts";
import { Frames } from "../../../src/adapters/docker/output/frames.ts";
import type { JobEnd } from "../../../src/ports/job-runtime.ts";
import { type DockerBench, openDockerBench, runInDocker } from "./docker-bench.ts";
import { type EscapeTargets, INTERNET, METADATA, openEscapeTargets } from "./escape-targets.ts";

/**
 * Ways out of a job's container, by the measure that closes them. Each is tried twice: in a container that is a job's
 * in everything but this measure, where it must lead out, or trying it would prove nothing; and by the program of a
 * job that was prepared and started as any other.
 */
interface Measure {
  readonly measure: string;
  /** What a job's container is like without it. Root is part of it where the other part is of use to root alone. */
  readonly without: (targets: EscapeTargets, job: Docker.HostConfig) => Weakened;
  readonly ways: readonly Way[];
}

interface Way {
  readonly to: string;
  /** In bash, after {@link WORDS}. */
  readonly tries: (targets: EscapeTargets) => string;
  /** What is printed by who got out: all of it without the measure, nothing of it in the job. */
  readonly gets: (targets: EscapeTargets) => readonly string[];
  /** What the job is told instead: a way that was badly tried is not one that is closed. */
  readonly butMeets: RegExp;
}

type Weakened = Partial<Docker.HostConfig> & { readonly User?: string };

const WORDS = `
reach() { # address port
  local words
  words=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && head -n 1 <&3' "$1" "$2" 2>&1)
  echo "$1 says \${words##*: }"
}
open_device() { # type major minor
  local folder
  for folder in /dev /speckit; do
    mknod "$folder/$1-$2-$3" "$1" "$2" "$3" && (exec 3< "$folder/$1-$2-$3") && echo has opened a device
  done
}
`;

const gatewayVolume = (deploymentId: string) => `${namePrefix(deploymentId)}-gateway`;
const says = (address: string, { word }: EscapeTargets) => `${address} says ${word}\n`;
const theWord = ({ word }: EscapeTargets) => [word];
const AS_ROOT = { User: "0:0" };

const MEASURES: readonly Measure[] = [
  {
    measure: "no network, where others have the engine's bridge",
    without: () => ({ NetworkMode: "bridge" }),
    ways: [
      {
        to: "the host, by every address it has on its networks",
        tries: ({ host }) =>
          host
            .addresses("on networks")
            .map((address) => `reach ${address} ${host.port}`)
            .join("\n"),
        gets: (targets) =>
          targets.host.addresses("on networks").map((address) => says(address, targets)),
        butMeets: /says Network is unreachable/,
      },
      {
        to: "another container on the engine",
        tries: ({ otherContainer }) => `reach ${otherContainer.address} 80`,
        gets: (targets) => [says(targets.otherContainer.address, targets)],
        butMeets: /says Network is unreachable/,
      },
    ],
  },
  {
    measure: "no network, where others have one that leads out",
    without: ({ otherContainer }) => ({ NetworkMode: `container:${otherContainer.id}` }),
    ways: [
      {
        to: "what clouds tell their machines",
        tries: () => `reach ${METADATA} 80`,
        gets: (targets) => [says(METADATA, targets)],
        butMeets: /says Network is unreachable/,
      },
      {
        to: "the internet",
        tries: () => `reach ${INTERNET} 80`,
        gets: (targets) => [says(INTERNET, targets)],
        butMeets: /says Network is unreachable/,
      },
      {
        to: "a resolver, the container's own or one it knows",
        tries: () => `
          getent hosts secret.example || echo no such host
          node -e '
            const { Resolver } = require("node:dns").promises;
            for (const server of [...new Resolver().getServers(), "127.0.0.11", "${INTERNET}"]) {
              const resolver = new Resolver({ timeout: 1000, tries: 1 });
              resolver.setServers([server]);
              resolver.resolve4("secret.example").then(
                ([address]) => console.log(server, "resolves it to", address),
                ({ code }) => console.log(server, "ends with", code),
              );
            }'`,
        gets: () => [
          `${INTERNET} resolves it to ${INTERNET}\n`,
          `${INTERNET}     secret.example\n`,
        ],
        butMeets: new RegExp(`no such host\n[^]*${INTERNET} ends with E`),
      },
    ],
  },
  {
    measure: "no network, where others have the host's",
    without: () => ({ NetworkMode: "host" }),
    ways: [
      {
        to: "the host, by all its addresses, loopback too",
        tries: ({ host }) =>
          host
            .addresses()
            .map((address) => `reach ${address} ${host.port}`)
            .join("\n"),
        gets: (targets) => targets.host.addresses().map((address) => says(address, targets)),
        butMeets: /127\.0\.0\.1 says Connection refused/,
      },
      {
        to: "the host, by a socket that has a name but no file",
        tries: ({ host }) => `
          node -e 'require("node:net").connect("\\0${host.abstractSocket}").pipe(process.stdout)'`,
        gets: theWord,
        butMeets: /ECONNREFUSED/,
      },
    ],
  },
  {
    measure: "no socket of the engine",
    without: ({ engine }) => ({
      Binds: [`${engine.socket}:/var/run/docker.sock`],
      GroupAdd: [engine.group],
    }),
    ways: [
      {
        to: "the engine",
        tries: ({ engine }) => `
          for socket in /var/run/docker.sock ${engine.socket}; do
            node -e '
              const at = { socketPath: process.argv[1], path: "/version" };
              const request = require("node:http").get(at, (answer) => answer.pipe(process.stdout));
              request.on("error", ({ message }) => console.log(message));' $socket
          done`,
        gets: () => [`"ApiVersion"`],
        butMeets: /ENOENT \/var\/run\/docker\.sock/,
      },
    ],
  },
  {
    measure: "no volume but its own",
    without: ({ otherVolume }, { Mounts = [] }) => ({
      Mounts: [...Mounts, { Type: "volume", Source: otherVolume.name, Target: "/mnt" }],
    }),
    ways: [
      {
        to: "another run's workspace",
        tries: ({ otherVolume: { folder } }) => `
          cat {,/proc/1/root}${folder}/workspace/secret-plan
          find / -path /proc -prune -o -name secret-plan -exec cat {} +`,
        gets: theWord,
        butMeets: /secret-plan: No such file or directory/,
      },
    ],
  },
  {
    measure: "no folder of the gateway's volume but its own",
    without: (_, { Mounts = [] }) => ({
      Mounts: Mounts.map((mount) =>
        mount.Target === GATEWAY_FOLDER
          ? { ...mount, Type: "volume", Source: gatewayVolume(bench.deploymentId) }
          : mount,
      ),
    }),
    ways: [
      {
        to: "another attempt's socket, where its token would be taken",
        tries: ({ otherDoor }) => `
          find / -path /proc -prune -o -name gateway.sock -print 2>/dev/null |
            while read -r socket; do
              node -e '
                const request = require("node:http").get({ socketPath: process.argv[1] }, (answer) => {
                  console.log("is heard by", answer.headers.owner);
                });
                request.on("error", ({ message }) => console.log(message));' "$socket"
            done
          ls /run/speckit-gateway/jobs/${otherDoor} /run/speckit-gateway/../${otherDoor}`,
        gets: ({ otherDoor }) => [`is heard by ${otherDoor}\n`],
        butMeets: /^is heard by [0-9a-f-]{36}-specify-1\n(ls: .*: No such file or directory\n){2}$/,
      },
    ],
  },
  {
    measure: "no folder of the host",
    without: ({ host }) => ({ Binds: [`${host.folder}:/mnt:ro`] }),
    ways: [
      {
        to: "the host's files",
        tries: ({ host: { folder } }) => `
          cat {,/proc/1/root}${folder}/secret-file
          find / -path /proc -prune -o -name secret-file -exec cat {} +`,
        gets: theWord,
        butMeets: /secret-file: No such file or directory/,
      },
    ],
  },
  {
    measure: "a read-only root",
    without: () => ({ ReadonlyRootfs: false }),
    ways: [
      {
        to: "files that are neither in its volume nor in memory",
        tries: () => `
          find / \\( -path /proc -o -path /sys \\) -prune -o -type d -writable -print 2>/dev/null |
            while read -r folder; do
              touch "$folder/x" && echo "has written to $(findmnt -no TARGET --target "$folder")."
            done | sort -u`,
        gets: () => ["has written to /."],
        butMeets: new RegExp(
          `^${["/dev/mqueue", "/dev/shm", "/speckit", "/tmp"].map((place) => `has written to ${place}\\.\n`).join("")}$`,
        ),
      },
    ],
  },
  {
    measure: "processes by themselves",
    without: () => ({ PidMode: "host" }),
    ways: [
      {
        to: "the host's processes, to see and to end them",
        tries: ({ host }) => `
          tr '\\0' ' ' < /proc/${host.processId}/cmdline
          kill -0 ${host.processId} && echo may end it`,
        gets: ({ word }) => [word, "may end it"],
        butMeets: /No such process/,
      },
    ],
  },
  {
    measure: "no root with CAP_MKNOD, no devices",
    without: () => ({
      ...AS_ROOT,
      CapAdd: ["MKNOD", "SYSLOG"],
      DeviceCgroupRules: ["c 1:11 r", "b *:* r"],
    }),
    ways: [
      {
        to: "the host's block devices",
        tries: () => `
          for device in /sys/class/block/*; do
            IFS=: read -r major minor < $device/dev; open_device b $major $minor
          done`,
        gets: () => ["has opened a device"],
        butMeets: /mknod: .*Operation not permitted/,
      },
      {
        to: "what the host's kernel logs",
        tries: () => "open_device c 1 11",
        gets: () => ["has opened a device"],
        butMeets: /mknod: .*Operation not permitted/,
      },
    ],
  },
  {
    measure: "no root with CAP_SYS_MODULE",
    without: () => ({ ...AS_ROOT, CapAdd: ["SYS_MODULE"] }),
    ways: [
      {
        to: "the host's kernel, by a module",
        // What is given is none: a kernel that would load one says that, or that it never loads any.
        tries: () => `
          (( 0x$(sed -n 's/^CapEff:\\s*//p' /proc/self/status) >> 16 & 1 )) && echo has CAP_SYS_MODULE
          perl -e '
            my ($init_module, $module, $options) = ($ARGV[0] eq "x86_64" ? 175 : 105, "none", "");
            syscall($init_module, $module, 4, $options);
            print $!{EPERM} ? "may not: $!" : "may load modules: $!"' $(uname -m)`,
        gets: () => ["has CAP_SYS_MODULE", "may load modules"],
        butMeets: /may not: Operation not permitted/,
      },
    ],
  },
  {
    measure: "no root with CAP_SYS_ADMIN",
    without: () => ({ ...AS_ROOT, CapAdd: ["SYS_ADMIN"] }),
    ways: ["mount", "net", "pid", "ipc", "uts"].map((kind) => ({
      to: `a new namespace, of kind ${kind}`,
      tries: () => `
        unshare --${kind} ${kind === "mount" ? "--propagation unchanged" : ""} echo is in its own`,
      gets: () => ["is in its own"],
      butMeets: /unshare failed: Operation not permitted/,
    })),
  },
  {
    measure: "the engine's filter of system calls",
    without: () => ({ SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] }),
    ways: [
      {
        to: "a new namespace, to be root in",
        tries: () => `unshare --user --map-root-user bash -c 'echo "is user $UID."'`,
        gets: () => ["is user 0."],
        butMeets: /unshare failed: Operation not permitted/,
      },
    ],
  },
  {
    measure: "no settings of the kernel that root could write to",
    without: () => ({ ...AS_ROOT, ReadonlyPaths: [] }),
    ways: [
      {
        to: "the host's kernel, by its settings",
        // Sets what is set already.
        tries: () => `
          cd /proc/sys/vm; value=$(cat swappiness); echo $value > swappiness && echo has set it`,
        gets: () => ["has set it"],
        butMeets: /swappiness: (Permission denied|Read-only file system)/,
      },
    ],
  },
  {
    measure: "no new privileges",
    without: () => ({ SecurityOpt: [] }),
    ways: [
      {
        to: "root, by a setuid program",
        // It waits for a password, as the user it runs as.
        tries: () => `
          sleep 600 | su root &
          while [ "$(cat /proc/$!/comm)" = bash ]; do sleep 0.05; done
          awk '/^Uid:/ { print "su runs as user " $3 "." }' /proc/$!/status
          kill %1`,
        gets: () => ["su runs as user 0."],
        butMeets: /su runs as user 10001\./,
      },
    ],
  },
];

/** More than a job may have of what its container limits. */
interface Excess {
  readonly of: string;
  readonly limits: Partial<ContainerLimits>;
  readonly without: Weakened;
  readonly takes: string;
  readonly gets: string;
  readonly butMeets: RegExp;
  readonly endedBy?: JobEnd;
}

const MEBIBYTE = 1024 * 1024;

const EXCESSES: readonly Excess[] = [
  {
    of: "memory",
    limits: { memoryBytes: 128 * MEBIBYTE },
    without: { Memory: 0, MemorySwap: 0 },
    takes: `perl -e '$all = "x" x (300 << 20); print "has 300 MiB"'`,
    gets: "has 300 MiB",
    butMeets: /^$/,
    endedBy: "out_of_memory",
  },
  {
    of: "processes",
    limits: { pids: 64 },
    without: { PidsLimit: 0 },
    takes: `perl -e '
      for (1..300) { defined($pid = fork) or do { print "no more: $!"; exit }; sleep 600 unless $pid; }
      print "has 300 processes"'`,
    gets: "has 300 processes",
    butMeets: /no more: Resource temporarily unavailable/,
  },
  {
    of: "disk",
    limits: { workspaceMaxBytes: 50 * MEBIBYTE },
    // Nobody watches what no supervisor has started.
    without: {},
    takes:
      "head -c 100m /dev/zero > /speckit/workspace/full; sleep 15; echo has 100 MiB after 15 s",
    gets: "has 100 MiB after 15 s",
    butMeets: /^$/,
    endedBy: "workspace_full",
  },
];

let bench: DockerBench;
let targets: EscapeTargets;
/** A job that has tried every way and is over; its volume is still there. */
let job: Docker.ContainerInspectInfo;
let jobSaid: Said;

beforeAll(async () => {
  bench = await openDockerBench();
  targets = await openEscapeTargets(bench);
  const all = MEASURES.flatMap(({ ways }) => ways);
  const spec = await bench.shell("", { argv: tryingAll(all) });
  const { exit, stdout, containerId } = await runInDocker(bench.runtime(), spec);
  expect(exit).toMatchObject({ exitCode: 0 });
  job = await bench.docker.getContainer(containerId).inspect();
  jobSaid = JSON.parse(String(stdout));
});
afterAll(async () => {
  await targets?.[Symbol.asyncDispose]();
  await bench?.[Symbol.asyncDispose]();
});

for (const { measure, without, ways } of MEASURES) {
  describe(`${measure}: closed is the way to`, () => {
    let weakenedSaid: Said;
    beforeAll(async () => {
      weakenedSaid = JSON.parse(
        await runWeakened(without(targets, job.HostConfig), tryingAll(ways)),
      );
    });

    for (const { to, gets, butMeets } of ways) {
      test(to, () => {
        expect(gets(targets)).not.toEqual([]);
        for (const found of gets(targets)) {
          expect(weakenedSaid[to]).toContain(found);
          expect(jobSaid[to]).not.toContain(found);
        }
        expect(jobSaid[to]).toMatch(butMeets);
      });
    }
  });
}

for (const { of, limits, without, takes, gets, butMeets, endedBy } of EXCESSES) {
  test(`a limit of ${of}: more is not to be had`, async () => {
    const [weakened, { exit, stdout }] = await Promise.all([
      runWeakened(without, ["bash", "-c", takes]),
      runInDocker(bench.runtime({ limits }), await bench.shell(takes)),
    ]);
    expect(weakened).toContain(gets);
    expect(String(stdout)).not.toContain(gets);
    expect(String(stdout)).toMatch(butMeets);
    expect(exit.endedBy).toBe(endedBy);
  });
}

/** What was printed on each way. */
type Said = Readonly<Record<string, string>>;

/** A program that tries ways one after the other, and prints a {@link Said}. */
function tryingAll(ways: readonly Way[]): [string, ...string[]] {
  const program = `
    const { spawnSync } = require("node:child_process");
    const said = Object.entries(JSON.parse(process.argv[1])).map(([to, script]) => [
      to,
      String(spawnSync("bash", ["-c", script], { timeout: 30_000 }).stdout),
    ]);
    console.log(JSON.stringify(Object.fromEntries(said)));`;
  const scripts = ways.map(({ to, tries }) => [to, `exec 2>&1\n${WORDS}${tries(targets)}`]);
  return ["node", "-e", program, JSON.stringify(Object.fromEntries(scripts))];
}

/** Runs a program in a container that is the job's but for `weakened`, its volume too; resolves with its stdout. */
async function runWeakened(
  { User = job.Config.User, ...weakened }: Weakened,
  argv: readonly string[],
): Promise<string> {
  const container = await bench.docker.createContainer({
    Image: job.Image,
    Entrypoint: [],
    Cmd: [...argv],
    WorkingDir: job.Config.WorkingDir,
    User,
    Labels: { ...labelsOf(bench.deploymentId, "ask") },
    HostConfig: { ...job.HostConfig, ...weakened },
  });
  await container.start();
  await container.wait();
  const { stdout } = new Frames().push(await container.logs({ stdout: true, stderr: true }));
  return String(stdout);
}
