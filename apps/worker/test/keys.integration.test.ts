import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findScenario, type Scenario, startMockModel } from "@speckit/mock-model";
import { eventually, git, gitServer, rowsOf, tempFolder } from "@speckit/testkit";
import { execa } from "execa";
import { expect, test } from "vitest";
import { containerBench } from "./container-bench.ts";
import {
  filesOfEngine,
  type Place,
  placesOfContainer,
  placesOfDatabase,
  placesOfFolder,
  placesOfImage,
  placesOfRepository,
  placesOfVolume,
  placesWith,
  watchArguments,
} from "./places-of-keys.ts";
import { startWorkerProcess } from "./worker-process.ts";

const MODEL_KEY = `sk-canary-${randomUUID()}`;
/** With signs that look otherwise in a URL. */
const GIT_TOKEN = `ghs_canary/${randomUUID()}+1`;
/** A key or token, or a variable that holds one, in images that were built before there was a canary. */
const LOOKS_LIKE_A_KEY =
  /\b(?:sk-|gh[pousr]_|github_pat_)[\w-]{16,}|(?:API_KEY|TOKEN|PASSWORD|SECRET)=[^\s"\\]/;

const bench = await containerBench("keys");
const { engine } = bench;

/** What the places together hold of either key. */
const found = (places: readonly Place[]) =>
  [MODEL_KEY, GIT_TOKEN].flatMap((key) => placesWith(places, key));

const likeAKey = (places: readonly Place[]) =>
  places.filter(({ content }) => LOOKS_LIKE_A_KEY.test(content.toString())).map(({ name }) => name);

const namesOf = (places: readonly Place[]) => places.map(({ name }) => name);

test("a search finds a key that was planted, at each place", async () => {
  const since = new Date();
  const planted = `ghs_planted/${randomUUID()}+1`;
  const volume = `speckit-planted-${randomUUID()}`;
  const image = `${volume}:1`;
  const script = [
    'printf %s "x$PLANTED" | base64 -w 0 >/planted/file',
    'echo "$PLANTED" >/tmp/file',
    'echo "$PLANTED" >/written',
    'echo "$PLANTED"',
    'exec sh -c "sleep 600; true" sh "$PLANTED"',
  ].join("\n");
  const args = [
    ...["run", "--detach", "--network", "none", "--user", "0", "--env", `PLANTED=${planted}`],
    ...["--volume", `${volume}:/planted`, "--tmpfs", "/tmp", "--entrypoint", "sh"],
    ...[engine.image("job"), "-c", script],
  ];
  const id = (await engine.docker(args)).trim();
  try {
    const inContainer = await eventually(
      "the planted key is told",
      () => placesOfContainer(engine, "planted", id),
      (places) => placesWith(places, planted).includes("log of planted"),
      { withinMs: 60_000 },
    );
    expect(placesWith(inContainer, planted)).toEqual(namesOf(inContainer));
    const inVolume = await placesOfVolume(engine, "planted", volume);
    expect(placesWith(inVolume, planted)).toEqual(namesOf(inVolume));
    const build = ["build", "--network", "none", "--build-arg", `OTHER_TOKEN=${planted}`];
    await execa("docker", [...build, "--tag", image, "-"], {
      env: { DOCKER_HOST: engine.dockerHost },
      input: `FROM ${engine.image("job")}\nARG OTHER_TOKEN\nENV KEPT_TOKEN=$OTHER_TOKEN\nRUN true\n`,
    });
    const inImage = await placesOfImage(engine, image);
    expect(placesWith(inImage, planted)).toEqual(namesOf(inImage));
    expect(likeAKey(inImage)).toEqual(namesOf(inImage));
    const inEngine = await filesOfEngine(engine, [planted], since);
    for (const where of [
      `volumes/${volume}/_data/file`, // what is in a volume
      "/written", // what a container has written to its own layer
      `containers/${id}/`, // what it was started with, and its log
      "/imagedb/", // what an image was built with
    ]) {
      expect(inEngine.join("\n")).toContain(where);
    }
  } finally {
    await engine.docker(["rm", "--force", id]);
    await engine.docker(["volume", "rm", volume]);
    await engine.docker(["image", "rm", "--force", image]);
  }

  const shown = execa("sh", ["-c", "sleep 600; true", planted], { reject: false });
  const watching = watchArguments(planted);
  await watching.untilLooked();
  shown.kill("SIGKILL");
  expect(namesOf(await watching.stop())).toContain(`sh -c sleep 600; true ${planted}`);

  await rowsOf(bench.databaseUrl, "CREATE TABLE planted (content bytea)");
  try {
    const bytes = [Buffer.from(`before ${planted}`)];
    await rowsOf(bench.databaseUrl, "INSERT INTO planted VALUES ($1)", bytes);
    const inRows = await placesOfDatabase(bench.databaseUrl);
    expect(placesWith(inRows, planted)).toEqual(["table public.planted"]);
  } finally {
    await rowsOf(bench.databaseUrl, "DROP TABLE planted");
  }

  await using folder = await tempFolder("planted");
  const deep = join(folder.path, "deep");
  await mkdir(deep);
  const forms = [
    `\0${Buffer.from(`x-access-token:${planted}`).toString("base64")}\0`,
    `https://${encodeURIComponent(planted)}@host`,
  ];
  for (const form of forms) {
    await writeFile(join(deep, "file"), form);
    const inFiles = await placesOfFolder(folder.path);
    expect(placesWith(inFiles, planted)).toEqual([`file ${join(deep, "file")}`]);
  }
  await git(deep, "init", "--quiet");
  await git(deep, "hash-object", "-w", "file");
  const inObjects = await placesOfRepository(deep);
  expect(placesWith(inObjects, planted)).toEqual(namesOf(inObjects));
}, 180_000);

test("a run in containers leaves neither the provider's key nor the git token anywhere", async () => {
  const since = new Date();
  await using model = await startMockModel({ apiKey: MODEL_KEY });
  const remote = await bench.remote();
  const server = await gitServer({
    folder: dirname(remote),
    login: `x-access-token:${GIT_TOKEN}`,
  });
  let isAtWork = false;
  const goOn = Promise.withResolvers<void>();
  const speckit = findScenario("speckit");
  const held: Scenario = async (request) => {
    if (request.ordinal === 2) {
      isAtWork = true;
      await goOn.promise;
    }
    return speckit?.(request) ?? { kind: "silence" };
  };
  const watching = [MODEL_KEY, GIT_TOKEN].map(watchArguments);
  await using worker = await startWorkerProcess(
    bench.worker("holder", {
      SPECKIT_AGENT: "codex",
      CODEX_API_KEY: MODEL_KEY,
      SPECKIT_CODEX_MODEL: "gpt-5.5",
      SPECKIT_CODEX_BASE_URL: model.baseUrl(held),
      SPECKIT_GIT_TOKEN: GIT_TOKEN,
      SPECKIT_GIT_HOST: server.host,
      SPECKIT_REPOSITORIES: `${server.url}/*`,
      GIT_SSL_CAINFO: server.caFile,
    }),
  );
  const runId = randomUUID();
  await bench.client.publish({
    schemaVersion: 1,
    runId,
    repository: `${server.url}/${basename(remote)}`,
    specifyText: "Add OAuth login",
  });

  // In the middle of a turn: the agent, its container and its volumes are all there.
  await eventually("the agent is at its model", () => isAtWork, Boolean, { withinMs: 120_000 });
  const [job = ""] = await bench.list("container", "job");
  const [gateway = ""] = await bench.list("container", "gateway");
  const inJob = await placesOfContainer(engine, "job", job);
  const inGateway = await placesOfContainer(engine, "gateway", gateway);
  const volumes = await bench.list("volume");
  const inVolumes = await Promise.all(
    volumes.map((volume) => placesOfVolume(engine, volume, volume)),
  );
  const inEngine = await filesOfEngine(engine, [MODEL_KEY, GIT_TOKEN], since);
  goOn.resolve();
  expect(found([...inJob, ...inGateway, ...inVolumes.flat()])).toEqual([]);
  expect(inEngine).toEqual([]);
  expect((await filesOfEngine(engine, [runId], since)).length).toBeGreaterThan(0);
  // What was searched is what was meant: the agent's own processes and files.
  const [, argv, environment] = inJob;
  expect(argv?.content.toString()).toContain("codex");
  expect(environment?.content.toString()).toContain("SPECIFY_FEATURE_DIRECTORY=");
  expect(placesWith(inVolumes.flat(), "constitution.md")).toHaveLength(1);

  await bench.untilClosed([runId]);
  expect((await bench.run(runId))?.outcome).toBe("succeeded");
  worker.kill("SIGTERM");
  const { stderr } = await worker.result;
  const afterwards = [
    { name: "log of the worker", content: Buffer.from(stderr) },
    { name: "messages", content: Buffer.from(JSON.stringify(bench.client.events)) },
    ...(await placesOfContainer(engine, "gateway", gateway)),
    ...(await placesOfDatabase(bench.databaseUrl)),
    ...(await placesOfFolder(bench.folder)),
    ...(await placesOfRepository(remote)),
    ...(await placesOfImage(engine, engine.image("job"))),
    ...(await placesOfImage(engine, engine.image("worker"))),
  ];
  expect(found(afterwards)).toEqual([]);
  expect(await filesOfEngine(engine, [MODEL_KEY, GIT_TOKEN], since)).toEqual([]);
  expect(likeAKey(afterwards.filter(({ name }) => /^(history|configuration) /.test(name)))).toEqual(
    [],
  );
  for (const { stop } of watching) {
    expect(namesOf(await stop())).toEqual([]);
  }
  const withRun = placesWith(afterwards, runId);
  for (const place of ["log of the worker", "messages", "table public.spec_workflow_runs"]) {
    expect(withRun).toContain(place);
  }
  expect(namesOf(afterwards).some((name) => name.endsWith("/plan-1/stdout.log"))).toBe(true);
  // Both were really used: there was something to be found.
  const toModel = model.requests().map(({ headers }) => headers.authorization);
  expect(new Set(toModel)).toEqual(new Set([`Bearer ${MODEL_KEY}`]));
  const login = `Basic ${Buffer.from(`x-access-token:${GIT_TOKEN}`).toString("base64")}`;
  const pushed = server.requests.filter(({ path }) => path.endsWith("/git-receive-pack"));
  expect(pushed.map(({ authorization }) => authorization)).toContain(login);
  expect(model.complaints()).toEqual([]);
}, 600_000);

const AGENT_KEY = `acme-canary/${randomUUID()}+1`;

/**
 * Says by a hash that it has the key, tells the key in each form, then works. The first one waits for
 * a word, by itself: a process that comes and goes would be in the way of who looks at all of them.
 */
const acmeAgent = (scripted: string, folder: string): string =>
  JSON.stringify([
    "bash",
    "-c",
    [
      'echo "hash $(printf %s "$ACME_API_KEY" | sha256sum)"',
      'echo "$ACME_API_KEY"; echo "$ACME_API_KEY" >&2; printf %s "x:$ACME_API_KEY" | base64 -w 0; echo',
      `echo '{"type":"tool","name":"acme","detail":"'"$ACME_API_KEY"'"}'`,
      'if [ "$SPECKIT_PHASE$SPECKIT_ATTEMPT" = specify1 ]; then',
      `  mkfifo ${folder}/go-on; touch ${folder}/at-work; read -r _ <${folder}/go-on`,
      '  echo "$ACME_API_KEY" >leaked.txt; fi',
      `exec ${scripted}`,
    ].join("\n"),
  ]);

// After the run with a model: a fleet's gateway goes on with the keys it was started with.
test.each(["docker", "process"])(
  "an agent's own key is in its environment and nowhere else, though it says it and writes it into a file: %s",
  async (runtime) => {
    const since = new Date();
    await using flags = await tempFolder("acme");
    const isDocker = runtime === "docker";
    const at = isDocker ? "/tmp" : flags.path;
    const program = fileURLToPath(
      new URL("../../../packages/orchestrator/agents/scripted.mjs", import.meta.url),
    );
    const scripted = isDocker
      ? "node /usr/local/lib/speckit-agents/scripted.mjs"
      : `${process.execPath} ${program}`;
    const remote = await bench.remote();
    const watching = watchArguments(AGENT_KEY);
    await writeFile(join(flags.path, "key"), `${AGENT_KEY}\n`);
    await using worker = await startWorkerProcess(
      bench.worker(`acme-${runtime}`, {
        SPECKIT_RUNTIME: runtime,
        SPECKIT_AGENT: "command",
        SPECKIT_AGENT_COMMAND: acmeAgent(scripted, at),
        SPECKIT_AGENT_SECRETS: "ACME_API_KEY",
        ACME_API_KEY_FILE: join(flags.path, "key"),
      }),
    );
    const runId = await bench.publish(remote, undefined, {
      agent: { backend: "command" },
      phases: ["specify"],
    });
    const places: Place[] = [];
    if (isDocker) {
      await bench.untilStarted(runId, "specify");
      const [job = ""] = await bench.list("container", "job");
      const inside = (script: string) => engine.docker(["exec", job, "sh", "-c", script]);
      await eventually(
        "the agent is at work",
        () => inside("ls /tmp"),
        (names) => names.includes("at-work"),
        { withinMs: 60_000, everyMs: 300 },
      );
      const each = (what: string) => `for p in /proc/[0-9]*; do ${what}; done 2>/dev/null; true`;
      const withKey = await inside(
        each("grep -qa ACME_API_KEY= $p/environ && tr '\\0' ' ' <$p/cmdline && echo"),
      );
      const ofEntry = await inside(each("grep -qa speckit-job $p/cmdline && cat $p/environ"));
      expect(ofEntry).toContain("HOME=/speckit/home");
      // The agent and what it has started since: nothing else of the container.
      expect(withKey).toContain("bash");
      expect(withKey).not.toContain("speckit-job");
      places.push(
        ...(await placesOfContainer(engine, "job", job)).filter(
          ({ name }) => name !== "environment of job",
        ),
        { name: "environment of the entry program", content: Buffer.from(ofEntry) },
      );
      for (const volume of await bench.list("volume")) {
        places.push(...(await placesOfVolume(engine, volume, volume)));
      }
      expect(await filesOfEngine(engine, [AGENT_KEY], since)).toEqual([]);
      await inside("echo go >/tmp/go-on");
    } else {
      const isAtWork = async () => existsSync(join(at, "at-work"));
      await eventually("the agent is at work", isAtWork, Boolean, { withinMs: 60_000 });
      await writeFile(join(at, "go-on"), "go\n");
    }
    await bench.untilClosed([runId]);
    expect(await bench.run(runId)).toMatchObject({ outcome: "succeeded" });
    // What it has written into a file was refused, told to it, and not done again.
    const attempts = await bench.attempts(runId);
    expect(attempts.filter(({ phase }) => phase === "specify")).toMatchObject([
      { state: "failed", failure: { code: "SECRET_IN_TREE" } },
      { state: "succeeded" },
    ]);
    worker.kill("SIGTERM");
    const { stderr } = await worker.result;
    places.push(
      { name: "log of the worker", content: Buffer.from(stderr) },
      { name: "messages", content: Buffer.from(JSON.stringify(bench.client.events)) },
      ...(await placesOfDatabase(bench.databaseUrl)),
      ...(await placesOfFolder(bench.folder)),
      ...(await placesOfRepository(remote)),
    );
    expect(placesWith(places, AGENT_KEY)).toEqual([]);
    expect(await filesOfEngine(engine, [AGENT_KEY], since)).toEqual([]);
    expect(namesOf(await watching.stop())).toEqual([]);
    // It had the key, and what it said of it was looked at.
    const stdout = await bench.artifact(`acme-${runtime}`, runId, "specify-2/stdout.log");
    const hash = createHash("sha256").update(AGENT_KEY).digest("hex");
    expect(stdout).toMatch(new RegExp(`^hash ${hash}  -\\n\\[redacted\\]\\n`));
    const report = await bench.artifact(`acme-${runtime}`, runId, "specify-2/environment.json");
    expect(JSON.parse(report)).toMatchObject({ secrets: ["ACME_API_KEY"] });
  },
  300_000,
);
