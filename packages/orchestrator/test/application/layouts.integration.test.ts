import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { git } from "@speckit/testkit";
import { describe, expect, test } from "vitest";
import { sampleMonorepoFiles, sampleProjectFiles } from "../../src/testing/sample/index.ts";
import {
  eventsOf,
  type Faults,
  named,
  phaseOf,
  requestFor,
  untilClosed,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const SCRIPTED = fileURLToPath(new URL("../../agents/scripted.mjs", import.meta.url));

type RemoteOptions = Parameters<typeof here.remote>[1];

/** An agent that does something of its own in the workspace, then what the scripted one does. */
function agentThat(script: string): Faults {
  const argv = ["/bin/sh", "-c", `${script}\nexec "$0" "$1"`, process.execPath, SCRIPTED] as const;
  return { agentCommand: argv };
}

let opened = 0;

/** A whole run on a repository, with the scripted agent unless another one is given. */
async function carried(
  remoteOptions: RemoteOptions,
  request: Record<string, unknown> = {},
  faults: Faults = {},
) {
  const remote = await here.remote({}, remoteOptions);
  opened += 1;
  await using open = here.open(`layouts-${opened}`, faults);
  await using _worker = await open.orchestrator.work({ slots: 1, hostname: "here" });
  const agent = faults.agentCommand === undefined ? {} : { agent: { backend: "command" } };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { ...agent, ...request }));
  const result = await untilClosed(open.orchestrator, run.runId);
  const events = await eventsOf(open.orchestrator, result.runId);
  const promptOf = (attempt: string) =>
    readFile(join(open.stateDir, "artifacts", result.runId, attempt, "prompt.md"), "utf8");
  const paths = async () =>
    (await git(remote.path, "ls-tree", "-r", "--name-only", result.branch)).split("\n");
  return { remote, result, events, promptOf, paths };
}

describe("a whole run", () => {
  test.each([
    {
      layout: "skills" as const,
      found: { kind: "skill", name: "speckit-plan", path: ".agents/skills/speckit-plan/SKILL.md" },
      about: { version: "1.0.1", script: "sh", featureNumbering: "sequential", agent: "codex" },
    },
    {
      layout: "prompts" as const,
      found: { kind: "prompt", name: "speckit.plan", path: ".codex/prompts/speckit.plan.md" },
      about: { version: null, script: null, featureNumbering: null, agent: null },
    },
    {
      layout: "toml" as const,
      found: { kind: "prompt", name: "speckit.plan", path: ".gemini/commands/speckit.plan.toml" },
      about: { version: null, script: "sh", featureNumbering: null, agent: "gemini" },
    },
  ])("on a project laid out as $layout", async ({ layout, found, about }) => {
    const { result, promptOf, paths } = await carried({ files: sampleProjectFiles(layout) });
    expect(result).toMatchObject({
      status: "succeeded",
      pushed: true,
      featureDirectory: "specs/001-add-oauth-login",
      specKit: { directory: "", instructions: { plan: found }, hooks: "none", ...about },
      summary: {
        title: "Add OAuth login",
        stories: [{ id: "US1", priority: "P1" }, { id: "US2" }],
        functionalRequirements: 2,
        successCriteria: 2,
        openQuestions: 0,
        assumptions: [expect.any(String), expect.any(String)],
        tasks: { total: 7, parallel: 3, perStory: { US1: 2, US2: 2 } },
      },
    });
    // What the file is wrapped in stays behind, and the sentence is in its place.
    const prompt = await promptOf("specify-1");
    expect(prompt).toMatch(/^# Specify\n/);
    expect(prompt).toContain("```text\nAdd OAuth login\n```");
    const files = await paths();
    expect(files).toContain("specs/001-add-oauth-login/tasks.md");
    expect(files).not.toContain(".specify/feature.json");
  });

  test("on a project in a folder of its repository: everything is below it", async () => {
    const directory = "packages/api";
    const seen = join(here.folder, "monorepo.seen");
    const { result, promptOf, paths, remote } = await carried(
      { files: sampleMonorepoFiles(directory), directory },
      {},
      agentThat(`echo "$SPECKIT_PHASE $PWD $SPECIFY_INIT_DIR $SPECIFY_FEATURE_DIRECTORY" >>'${seen}'
             cat .specify/feature.json >>'${seen}' || true`),
    );
    expect(result).toMatchObject({
      status: "succeeded",
      featureDirectory: "packages/api/specs/001-add-oauth-login",
      specKit: { directory },
    });
    expect(await promptOf("specify-1")).toContain("You are in `packages/api`");
    const told = await readFile(seen, "utf8");
    expect(told).toMatch(
      /^specify (\S+\/packages\/api) \1 specs\/001-add-oauth-login\nplan .*\n\{\s+"feature_directory": "specs\/001-add-oauth-login"\s+\}/,
    );
    const base = (await git(remote.path, "ls-tree", "-r", "--name-only", "main")).split("\n");
    const added = (await paths()).filter((path) => !base.includes(path));
    expect(added.length).toBeGreaterThan(5);
    expect(added.filter((path) => !path.startsWith(`${result.featureDirectory}/`))).toEqual([]);
  });

  test("takes skills of the repository's root for a project that has none", async () => {
    const root = Object.entries(sampleProjectFiles()).filter(([path]) =>
      path.startsWith(".agents/"),
    );
    const project = Object.entries(sampleMonorepoFiles("api")).filter(
      ([path]) => !path.includes(".agents/"),
    );
    const { result } = await carried({
      files: Object.fromEntries([...root, ...project]),
      directory: "api",
    });
    expect(result).toMatchObject({
      status: "succeeded",
      specKit: {
        directory: "api",
        instructions: { tasks: { path: ".agents/skills/speckit-tasks/SKILL.md" } },
      },
    });
  });

  test("numbers by time where the project does", async () => {
    const options = JSON.stringify({ feature_numbering: "timestamp", speckit_version: "1.0.1" });
    const { result } = await carried(
      { more: { ".specify/init-options.json": options } },
      { phases: ["specify"] },
    );
    expect(result.status).toBe("succeeded");
    expect(result.featureDirectory).toMatch(/^specs\/\d{8}-\d{6}-add-oauth-login$/);
  });

  test("keeps an ignored specs/ and leaves feature.json alone", async () => {
    const { result, paths } = await carried({ more: { ".gitignore": "specs/\n*.json\n" } });
    expect(result.status).toBe("succeeded");
    const files = await paths();
    expect(files).toContain(`${result.featureDirectory}/checklists/requirements.md`);
    expect(files).not.toContain(".specify/feature.json");
  });
});

describe("several projects in a repository", () => {
  const files = { ...sampleMonorepoFiles("apps/web"), ...sampleMonorepoFiles("packages/api") };

  test("are told when none is named", async () => {
    const { result } = await carried({ files });
    expect(result).toMatchObject({
      status: "failed",
      failure: {
        code: "PROJECT_DIRECTORY_NEEDED",
        message: expect.stringContaining("apps/web, packages/api"),
      },
    });
  });

  test("the named one is taken; one that is not there is refused with those that are", async () => {
    const { result } = await carried(
      { files, directory: "apps/web" },
      { projectDirectory: "apps/web", phases: ["specify"] },
    );
    expect(result).toMatchObject({
      status: "succeeded",
      featureDirectory: "apps/web/specs/001-add-oauth-login",
    });
    const gone = await carried({ files }, { projectDirectory: "apps/gone" });
    expect(gone.result.failure).toMatchObject({
      code: "NOT_A_SPEC_KIT_PROJECT",
      message: expect.stringMatching(/no apps\/gone\/\.specify .* apps\/web, packages\/api$/),
    });
  });
});

describe("an agent on another branch", () => {
  test("its files are taken, its commits are not, and it is told", async () => {
    const { result, events, remote } = await carried(
      { files: sampleProjectFiles("prompts") },
      { phases: ["specify"] },
      agentThat(`git checkout -q -b 001-oauth && git commit -q --allow-empty -m mine
             test "$SPECIFY_FEATURE" = 001-add-oauth-login || exit 9`),
    );
    expect(result.failure).toBeUndefined();
    expect(result).toMatchObject({ status: "succeeded", pushed: true });
    expect(named(events)).toContain("phase.warning specify 1");
    const warning = events.find(({ type }) => type === "phase.warning");
    expect(warning?.data.text).toBe(
      `The agent left its workspace on branch 001-oauth instead of ${result.branch}; its files are taken, its commits are not`,
    );
    const log = await git(remote.path, "log", "--format=%s", `main..${result.branch}`);
    expect(log).toBe("docs: specify specs/001-add-oauth-login");
    expect(await git(remote.path, "branch", "--list", "001-*")).toBe("");
  });

  test("a feature made under another name is a finding, also where git ignores it", async () => {
    const { result, events } = await carried(
      { more: { ".gitignore": "specs/\n" } },
      { phases: ["specify"] },
      agentThat(
        'test "$SPECKIT_ATTEMPT" = 1 && export SPECIFY_FEATURE_DIRECTORY=specs/004-by-the-script',
      ),
    );
    expect(result.status).toBe("succeeded");
    expect(phaseOf(result, "specify")).toMatchObject({ attempt: 2 });
    const failed = events.find(({ type }) => type === "phase.failed");
    expect(failed?.data.failure).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          check: "specify.one-new-directory",
          path: "specs/004-by-the-script",
        }),
      ]),
    });
  });
});

describe("hooks of extensions", () => {
  const EXTENSIONS = `installed:
- git
hooks:
  before_specify:
  - extension: git
    command: speckit.git.feature
    optional: false
`;
  const more = { ".specify/extensions.yml": EXTENSIONS };
  const look = (seen: string) =>
    agentThat(`echo "$GIT_BRANCH_NAME" >'${seen}'
           cat .specify/extensions.yml >>'${seen}'
           git status --porcelain >>'${seen}'`);

  test("are kept from the agent, and the file stays as it was", async () => {
    const seen = join(here.folder, "hooks-off.seen");
    const { result, remote, promptOf } = await carried(
      { more },
      { phases: ["specify"] },
      look(seen),
    );
    expect(result).toMatchObject({
      status: "succeeded",
      specKit: { hooks: "off", extensions: ["git"] },
    });
    const told = await readFile(seen, "utf8");
    expect(told).toMatch(new RegExp(`^${result.branch}\n`));
    expect(told).toContain("hooks: {}");
    expect(told).not.toContain("speckit.git.feature");
    expect(told).not.toContain(" M ");
    expect(await promptOf("specify-1")).toContain("are off in this run");
    const kept = await git(remote.path, "show", `${result.branch}:.specify/extensions.yml`);
    expect(`${kept}\n`).toBe(EXTENSIONS);
  });

  test("reach it where the deployment allows them", async () => {
    const seen = join(here.folder, "hooks-on.seen");
    const { result, promptOf } = await carried(
      { more },
      { phases: ["specify"] },
      { ...look(seen), settings: { extensionHooks: true } },
    );
    expect(result).toMatchObject({ status: "succeeded", specKit: { hooks: "on" } });
    expect(await readFile(seen, "utf8")).toContain("speckit.git.feature");
    expect(await promptOf("specify-1")).not.toContain("are off in this run");
  });
});

describe("start in the middle", () => {
  test("a run goes on with the specification of an existing branch, and pushes to it", async () => {
    const branch = "feature/oauth";
    const remote = await here.remote();
    await using open = here.open("middle");
    await using _worker = await open.orchestrator.work({ slots: 1, hostname: "here" });
    const carry = async (more: Record<string, unknown>) => {
      const { run } = await open.orchestrator.submit(requestFor(remote.path, { branch, ...more }));
      return untilClosed(open.orchestrator, run.runId);
    };
    const first = await carry({ phases: ["specify"] });
    expect(first).toMatchObject({ status: "succeeded", pushed: true });
    const { featureDirectory } = first;

    const second = await carry({ phases: ["plan", "tasks"], featureDirectory });
    expect(second).toMatchObject({
      status: "succeeded",
      pushed: true,
      branch,
      featureDirectory,
      baseSha: first.headSha,
      summary: { title: "Add OAuth login", tasks: { total: 7 } },
    });
    const log = await git(remote.path, "log", "--format=%s", `main..${branch}`);
    expect(log.split("\n")).toEqual(
      ["tasks", "plan", "specify"].map((phase) => `docs: ${phase} ${featureDirectory}`),
    );
  });

  test("without the document a phase builds on it fails before an agent starts, and names it", async () => {
    const { result, remote } = await carried(
      {},
      { phases: ["plan", "tasks"], featureDirectory: "specs/007-oauth" },
    );
    expect(result).toMatchObject({
      status: "failed",
      failure: {
        code: "DOCUMENT_MISSING",
        class: "permanent",
        message: expect.stringContaining("plan needs specs/007-oauth/spec.md"),
      },
    });
    expect(await remote.starts()).toEqual([]);
  });
});

describe("a repository without Spec Kit", () => {
  const files = { "README.md": "# Nothing\n" };
  /** Spec Kit's command, as far as it matters here: it copies its files. */
  const stub = async () => {
    const folder = join(here.folder, "specify-stub");
    for (const [path, text] of Object.entries(sampleProjectFiles())) {
      if (path.startsWith(".")) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
    }
    return folder;
  };

  test("is refused, with the command that adds it", async () => {
    const { result, remote } = await carried({ files });
    expect(result.failure).toMatchObject({
      code: "NOT_A_SPEC_KIT_PROJECT",
      remedy: expect.stringContaining("specify init --here"),
    });
    expect(await remote.starts()).toEqual([]);
  });

  test("gets it where the deployment wants that, as the run's first commit", async () => {
    const argv = ["/bin/sh", "-c", `test "$1" = init && cp -r '${await stub()}'/. .`] as const;
    const { result, remote, paths } = await carried(
      { files },
      {},
      { specifyInit: [...argv, "specify", "init", "--here"] },
    );
    expect(result.failure).toBeUndefined();
    expect(result).toMatchObject({
      status: "succeeded",
      featureDirectory: "specs/001-add-oauth-login",
      specKit: { isNew: true, version: "1.0.1" },
    });
    const log = await git(remote.path, "log", "--format=%s", `main..${result.branch}`);
    expect(log.split("\n").at(-1)).toBe("chore: add Spec Kit");
    expect(log.split("\n")).toHaveLength(4);
    expect(await paths()).toContain(".agents/skills/speckit-plan/SKILL.md");
    expect(result.artifacts.map(({ name }) => name)).toContain("prepare-1/stdout.log");
  });

  test.each([
    ["is not there", ["specify-that-is-not-there"], "specify-that-is-not-there, cannot be started"],
    ["fails", ["/bin/sh", "-c", "echo no >&2; exit 3"], "/bin/sh ended with code 3"],
    ["adds nothing", ["true"], "true has added nothing"],
    ["changes what was there", ["/bin/sh", "-c", "echo x >README.md"], "has changed README.md"],
  ] as const)("fails for good when the command %s", async (_what, specifyInit, message) => {
    const { result } = await carried({ files }, {}, { specifyInit });
    expect(result.failure).toMatchObject({
      code: "SPEC_KIT_INIT_FAILED",
      class: "permanent",
      message: expect.stringContaining(message),
      remedy: expect.stringContaining("SPECKIT_SPECIFY_COMMAND"),
    });
    expect(phaseOf(result, "prepare")).toMatchObject({ status: "failed", attempt: 1 });
  });
});

test("a skill that leaves the raw template behind fails with the findings; the repair succeeds", async () => {
  const raw = `if test "$SPECKIT_PHASE" = specify -a "$SPECKIT_ATTEMPT" = 1; then
      mkdir -p "$SPECIFY_FEATURE_DIRECTORY"
      cp .specify/templates/spec-template.md "$SPECIFY_FEATURE_DIRECTORY/spec.md"
      exit 0
    fi`;
  const { result, events, promptOf } = await carried({}, {}, agentThat(raw));
  expect(result).toMatchObject({ status: "succeeded" });
  expect(phaseOf(result, "specify")).toMatchObject({ status: "succeeded", attempt: 2 });
  const failed = events.find(({ type }) => type === "phase.failed");
  expect(failed?.data.failure).toMatchObject({
    code: "POSTCONDITION_FAILED",
    findings: expect.arrayContaining([
      expect.objectContaining({ check: "specify.spec-differs-from-template" }),
    ]),
  });
  expect(await promptOf("specify-2")).toContain("specify.spec-differs-from-template");
});
