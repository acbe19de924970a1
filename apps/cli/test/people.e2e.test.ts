import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  git,
  startProgram,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

const QUESTIONS = [
  { text: "Which provider?", context: "FR-001 names none", answers: ["Google alone", "Any"] },
  { text: "How long may a session last?" },
];

let folder: StateFolder;

beforeAll(async () => {
  folder = await stateFolder("cli-people");
});

afterAll(() => folder[Symbol.asyncDispose]());

const sample = (name: string, script: object = {}) =>
  makeSampleRemote(join(folder.path, name), { ".scripted-agent.json": JSON.stringify(script) });

const asking = (name: string) =>
  sample(name, { specify: { onlyAttempts: [1], askQuestions: QUESTIONS } });

const json = async (speckit: Cli, ...args: readonly string[]) => {
  const done = await speckit.run([...args, "--json"]);
  return { exitCode: done.exitCode, said: JSON.parse(done.stdout || "null") };
};

const specOf = (remote: string, said: { branch: string; featureDirectory: string }) =>
  git(remote, "show", `${said.branch}:${said.featureDirectory}/spec.md`);

const runIdIn = (text: string): string => /speckit (?:answer|approve) (\S+)/.exec(text)?.[1] ?? "";

describe("embedded", () => {
  const speckit = () => cli(folder.path, { SPECKIT_AGENT: "scripted" });
  const run = (remote: string, ...args: readonly string[]) =>
    speckit().run(["run", remote, "Add OAuth login", ...args]);

  test("two questions are shown with what is suggested, and answered by letter and by text", async () => {
    const remote = await asking("asking");
    const asked = await run(remote, "--on-questions", "pause");
    expect(asked.exitCode, asked.stderr).toBe(3);
    expect(asked.stdout).toContain(
      [
        "Q1  Which provider?",
        "    FR-001 names none",
        '    A  Google alone (decides "Which provider?")',
        '    B  Any (decides "Which provider?")',
        "Q2  How long may a session last?",
      ].join("\n"),
    );
    const done = await json(speckit(), "answer", runIdIn(asked.stdout), "b", "A day");
    expect(done).toMatchObject({ exitCode: 0, said: { status: "succeeded", openQuestions: [] } });
    const spec = await specOf(remote, done.said);
    expect(spec).toContain("- Which provider?\n  > Any\n");
    expect(spec).toContain("- How long may a session last?\n  > A day");
  });

  test("with assume the same run goes on, and says what is open", async () => {
    const done = await run(await asking("assuming"));
    expect(done.exitCode, done.stderr).toBe(0);
    expect(done.stdout).toContain("Q1  Which provider?");
    expect(done.stdout).toContain("assumes   Nothing that works today stops working.");
    expect(done.stdout).toContain("assumes   Not answered, the agent has decided: Which provider?");
    expect(done.stdout).not.toContain("speckit answer");
  });

  test("a specification is read, rejected, made again, approved", async () => {
    const remote = await sample("watched");
    const waiting = await run(remote, "--pause-after", "specify");
    expect(waiting.exitCode, waiting.stderr).toBe(3);
    expect(waiting.stdout).toMatch(/✓ specify .*spec\.md/);
    expect(waiting.stdout).toMatch(
      /specify waits for approval: specs\/\S+\/spec\.md, kept as the artifact specify-1\/spec\.md/,
    );
    const runId = runIdIn(waiting.stdout);
    expect((await speckit().run(["status", runId])).stdout).toContain("waits for approval");
    expect((await json(speckit(), "status", runId)).said).toMatchObject({
      status: "needs_input",
      approval: { phase: "specify", attempt: 1 },
    });
    expect((await speckit().run(["reject", runId])).exitCode).toBe(2);
    expect((await speckit().run(["reject", runId, "--comment", " "])).exitCode).toBe(2);

    const again = await speckit().run(["reject", runId, "--comment", "-"], "Shorter,\nplease\n");
    expect(again.exitCode, again.stderr).toBe(3);
    expect(again.stdout).toContain("APPROVAL_REJECTED: specify: rejected: Shorter, please");
    expect(again.stdout).toContain("artifact specify-2/spec.md");
    const wrong = await json(speckit(), "approve", runId, "--attempt", "1");
    expect(wrong).toMatchObject({ exitCode: 2, said: { failure: { code: "DECISION_REFUSED" } } });

    const done = await json(speckit(), "approve", runId, "--phase", "specify", "--attempt", "2");
    expect(done).toMatchObject({ exitCode: 0, said: { status: "succeeded", pushed: true } });
    expect(await git(remote, "rev-list", "--count", `main..${done.said.branch}`)).toBe("3");
  });

  test("a decision that does not come in time ends the run for whoever looks then", async () => {
    const remote = await sample("undecided");
    const impatient = cli(folder.path, {
      SPECKIT_AGENT: "scripted",
      SPECKIT_ANSWER_WITHIN_MS: "1000",
    });
    const waiting = await impatient.run(["run", remote, "Add a page", "--pause-after", "specify"]);
    expect(waiting.exitCode, waiting.stderr).toBe(3);
    const runId = runIdIn(waiting.stdout);
    const done = await eventually(
      "its time is over",
      () => json(impatient, "resume", runId),
      ({ exitCode }) => exitCode !== 3,
      { withinMs: 30_000 },
    );
    expect(done).toMatchObject({
      exitCode: 1,
      said: { status: "failed", failure: { code: "APPROVAL_MISSING" } },
    });
    const late = await json(impatient, "approve", runId);
    expect(late).toMatchObject({ exitCode: 2, said: { failure: { code: "RUN_ENDED" } } });
  });
});

/** A look is a program that starts: more of them would take the worker's time. */
const SLOWLY = { withinMs: 60_000, everyMs: 1_000 };

describe("of a fleet", async () => {
  const database = await testDatabase();
  const broker = testBroker();

  test("a run is answered, rejected and approved from a terminal", async () => {
    const remote = await asking("fleet");
    const env = {
      DATABASE_URL: database.url,
      AMQP_URL: broker.url,
      SPECKIT_AMQP_PREFIX: broker.prefix,
      SPECKIT_REPOSITORIES: "file:///*",
      SPECKIT_AGENT: "scripted",
    };
    const main = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
    const worker = startProgram(main, [], {
      env: { ...env, SPECKIT_HOME: join(folder.path, "w") },
    });
    const speckit = cli(folder.path, env);
    try {
      await using told = followed(
        speckit.start([
          ...["run", `file://${remote}`, "Add OAuth login", "--json"],
          ...["--on-questions", "pause", "--pause-after", "specify"],
        ]),
      );
      const asked = await told.end;
      expect(asked).toMatchObject({ exitCode: 3, said: { questionRound: 1 } });
      const { runId } = asked.said;
      const answered = await speckit.run(["answer", runId, "A", "-"]);
      expect(answered.stdout).toBe("answered: the fleet goes on with it\n");
      const waits = (attempt: number) =>
        eventually(
          `attempt ${attempt} waits`,
          () => json(speckit, "status", runId),
          ({ said }) => said.approval?.attempt === attempt,
          SLOWLY,
        );
      await waits(2);
      const rejected = await speckit.run(["reject", runId, "--comment", "Shorter"]);
      expect(rejected.stdout).toBe("rejected: the fleet goes on with it\n");
      await waits(3);
      expect((await speckit.run(["approve", runId])).exitCode).toBe(0);
      const done = await eventually(
        "it is over",
        () => json(speckit, "status", runId),
        ({ said }) => said.status !== "in_progress" && said.status !== "needs_input",
        SLOWLY,
      );
      expect(done.said).toMatchObject({ status: "succeeded", pushed: true });
      expect(await specOf(remote, done.said)).toContain("- Which provider?\n  > Google alone\n");
    } finally {
      worker.kill("SIGTERM");
      await worker.result;
    }
    expect(await checkRuns(database.url)).toEqual([]);
  }, 180_000);
});

function followed(program: ReturnType<Cli["start"]>) {
  const end = program.result.then(({ exitCode, stdout }) => ({
    exitCode,
    said: JSON.parse(stdout || "null"),
  }));
  return {
    end,
    async [Symbol.asyncDispose]() {
      program.kill("SIGKILL");
      await program.result;
    },
  };
}
