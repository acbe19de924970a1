import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TempFolder, tempFolder, testEngine } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { token } from "./entry-bench.ts";
import { type StandInGateway, standInGateway } from "./stand-in-gateway.ts";

const engine = testEngine();
const { docker } = engine;
const image = engine.image("job");

/** As a worker starts a job. */
const hardened = [
  ...["--init", "--read-only", "--network", "none", "--cap-drop", "ALL"],
  ...["--security-opt", "no-new-privileges", "--user", "10001:10001", "--tmpfs", "/tmp"],
];
const made: { containers: string[]; volumes: string[] } = { containers: [], volumes: [] };

async function volume(): Promise<string> {
  const name = `speckit-test-${randomBytes(6).toString("hex")}`;
  await docker(["volume", "create", "--label", "speckit.test=job-image", name]);
  made.volumes.push(name);
  return name;
}

afterAll(async () => {
  for (const name of made.containers) {
    await docker(["rm", "-f", "-v", name]);
  }
  for (const name of made.volumes) {
    await docker(["volume", "rm", "-f", name]);
  }
});

describe("the job image", () => {
  test("meets its contract, hardened as a job is", async () => {
    const mounted = ["-v", `${await volume()}:/speckit`];
    const printed = await docker([
      "run",
      "--rm",
      ...hardened,
      ...mounted,
      image,
      "speckit-job",
      "--check",
    ]);
    expect(JSON.parse(printed)).toMatchObject({
      contract: 2,
      ok: true,
      missing: [],
      isHardened: true,
      uid: 10001,
      readOnlyRoot: true,
      homeWritable: true,
      tmpWritable: true,
      openWays: [],
      agents: { codex: expect.stringMatching(/^codex-cli \d/) },
      git: expect.stringMatching(/^git version 2/),
    });
  });

  test("says what is missing in one that does not", async () => {
    const asRoot = [
      "run",
      "--rm",
      "--user",
      "0",
      image,
      "sh",
      "-c",
      "rm /usr/bin/git; speckit-job --check || true",
    ];
    expect(JSON.parse(await docker(asRoot))).toMatchObject({
      ok: false,
      missing: ["git", "a user other than root"],
    });
  });

  test("is labelled with the contract, and its history and environment hold nothing of the builder", async () => {
    const [inspected] = JSON.parse(await docker(["image", "inspect", image]));
    expect(inspected.Config.Labels).toMatchObject({ "speckit.job-contract": "2" });
    expect(inspected.Config.User).toBe("10001:10001");
    const history = await docker(["history", "--no-trunc", "--format", "{{.CreatedBy}}", image]);
    const text = `${history}\n${JSON.stringify(inspected.Config.Env)}`;
    expect(text).not.toMatch(/token|password|secret|_KEY=/i);
  });
});

describe("a job in a container", () => {
  let folder: TempFolder;
  let gateway: StandInGateway;
  beforeAll(async () => {
    folder = await tempFolder("job-image");
    await chmod(folder.path, 0o755);
    await mkdir(join(folder.path, "socket"));
    gateway = await standInGateway(join(folder.path, "socket/gateway.sock"), token);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function run(argv: readonly string[]): Promise<{ code: number; stdout: string }> {
    const name = await volume();
    const socket = `${join(folder.path, "socket")}:/run/speckit-gateway:ro`;
    const mounts = ["-v", `${name}:/speckit`, "-v", socket];
    const id = (await docker(["create", ...hardened, ...mounts, image, "speckit-job"])).trim();
    made.containers.push(id);
    const job = join(folder.path, "job.json");
    await writeFile(
      job,
      JSON.stringify({
        ...{ v: 1, argv, env: {}, cwd: "/speckit/workspace", token },
        ...{ gateway: "/run/speckit-gateway/gateway.sock", bridgePort: 8787 },
        ...{ freeBytesFloor: 0, livenessMs: 1_000, giveUpMs: 5_000 },
      }),
    );
    await docker(["cp", job, `${id}:/speckit/job.json`]);
    await docker(["start", id]);
    const code = Number(await docker(["wait", id]));
    return { code, stdout: await docker(["logs", id]) };
  }

  test("takes its ticket, reaches the gateway over loopback, and ends with all it has started", async () => {
    const script = `setsid -f sleep 600
      exec 3<>/dev/tcp/127.0.0.1/8787; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3
      env | sort; ls -A /speckit; touch /x; exit 4`;
    const { code, stdout } = await run(["bash", "-c", script]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^HTTP\/1\.1 200/);
    expect(stdout).toContain("HOME=/speckit/home\n");
    expect(stdout).not.toMatch(/job\.json|start-token/);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ speckit: "exit", exitCode: 4 });
    expect(code).toBe(4);
  });

  test("that is refused its ticket runs no agent", async () => {
    gateway.answers.start = 409;
    const { code, stdout } = await run(["sh", "-c", "echo ran"]);
    gateway.answers.start = 204;
    expect(code).toBe(97);
    expect(JSON.parse(stdout)).toMatchObject({ code: "start_refused", stdoutBytes: 0 });
  });
});
