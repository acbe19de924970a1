import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ERROR_CODES } from "../domain/error-codes.ts";
import { modelFailure } from "../domain/model-failure.ts";
import { AGENT_PHASES } from "../domain/phase.ts";
import { verifyPhase } from "../domain/verify/verify-phase.ts";
import type { AgentBackend } from "../ports/agent-backend.ts";
import type { JobRuntime } from "../ports/job-runtime.ts";
import type { ModelAccess } from "../ports/model-gateway.ts";
import { carryOutPhase, suitePrompt, writeFiles } from "./agent-backend/carry-out-phase.ts";
import { sampleProjectFiles } from "./sample-project.ts";

/** A backend with an agent that can really be called. */
export interface AgentBackendUnderTest extends AsyncDisposable {
  readonly backend: AgentBackend;
  /** Starts its agent; a process runtime will do. */
  readonly runtime: JobRuntime;
  /**
   * The way to a model, for a backend with a credential: one that works, or one whose provider
   * refuses every call and says `agent's words`.
   */
  readonly access?: (provider: "works" | "refuses") => Promise<ModelAccess>;
  /** For a backend without one: the same backend with an agent that fails and prints `agent's words`. */
  readonly failing?: AgentBackend;
}

const EVENT_TYPES = ["message", "reasoning", "tool", "file", "usage", "warning"];
const TOKEN = "throw-away-token-of-the-suite";

/**
 * What speckit relies on of an agent backend, as Vitest tests. The agent works on a sample project
 * in Spec Kit's layout, with real files, below `folder`.
 *
 * @param folder for the suite's own folders; not below /tmp for agents that mistrust it
 */
export function describeAgentBackend(
  name: string,
  open: () => Promise<AgentBackendUnderTest>,
  folder: string,
): void {
  describe(`AgentBackend: ${name}`, () => {
    let under: AgentBackendUnderTest;
    let here: string;

    beforeEach(async () => {
      under = await open();
      await mkdir(folder, { recursive: true });
      here = await mkdtemp(join(folder, "backend-"));
      await writeFiles(join(here, "workspace"), sampleProjectFiles());
    });
    afterEach(async () => {
      await under[Symbol.asyncDispose]();
      await rm(here, { recursive: true, force: true });
    });

    const context = {
      runId: "0197f0a0-0000-7000-8000-000000000002",
      phase: "specify",
      attempt: 3,
      workspace: "/agent/space",
      home: "/agent/home",
      choice: {},
      access: { baseUrl: "http://127.0.0.1:1/v1", token: TOKEN },
    } as const;

    test("it has a name requests can use, and says what stands behind it", () => {
      expect(under.backend.name).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
      expect(under.backend.description).toMatch(/^\P{Cc}{3,200}$/u);
    });

    test("a call is data: the same prompt makes the same call, and files stay in HOME", () => {
      const prompt = suitePrompt("specify", "Write it.");
      const command = under.backend.command(prompt, context);
      expect(under.backend.command(prompt, context)).toEqual(command);
      expect(command.argv[0]).not.toBe("");
      for (const { path } of command.files) {
        expect(path).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/);
      }
    });

    test("the token is in no argument, file or prompt, where others could read it", () => {
      const { argv, files, stdin } = under.backend.command(suitePrompt("plan", "Plan."), context);
      expect(JSON.stringify([argv, files, stdin])).not.toContain(TOKEN);
    });

    test("the prompt has the request, the feature directory, the answers and what to repair", () => {
      const { stdin, env } = under.backend.command(
        {
          ...suitePrompt("specify", "Write it."),
          arguments: "Add a login page\nwith two fields",
          answers: [{ question: "Which provider?", answer: "The green one" }],
          comments: ["Shorter, please"],
          findings: [
            { check: "specify.title", path: "spec.md", expected: "a title", found: "no title" },
          ],
        },
        context,
      );
      for (const text of ["Add a login page", "with two fields", "specs/001-add-oauth-login"]) {
        expect(stdin).toContain(text);
      }
      for (const text of [
        "Which provider?",
        "The green one",
        "specify.title",
        "no title",
        "Shorter, please",
      ]) {
        expect(stdin).toContain(text);
      }
      expect(env.SPECIFY_FEATURE_DIRECTORY).toBe("specs/001-add-oauth-login");
    });

    test("phase after phase is carried out, and the files it leaves fulfil its postconditions", async () => {
      for (const phase of AGENT_PHASES) {
        await using access = await under.access?.("works");
        const done = await carryOutPhase({ ...under, access }, here, phase);
        expect([phase, done.failure, done.stderr.slice(-2_000)]).toEqual([
          phase,
          undefined,
          expect.any(String),
        ]);
        expect([phase, verifyPhase(phase, done.output)]).toEqual([phase, []]);
        expect(done.events.length).toBeGreaterThan(0);
        if (access !== undefined) {
          expect((await access.report()).calls.length).toBeGreaterThan(0);
          expect(done.stdout + done.stderr).not.toContain(access.token);
        }
      }
    }, 120_000);

    test("an agent that fails is told by a code of the catalogue, never in its own words", async () => {
      const backend = under.failing ?? under.backend;
      await using access = await under.access?.("refuses");
      const done = await carryOutPhase({ ...under, backend, access }, here, "specify");
      const { code = "", message = "", remedy } = done.failure ?? {};
      expect(Object.keys(ERROR_CODES)).toContain(code);
      expect(message).toMatch(/^\P{Cc}{10,1000}$/u);
      expect(message).not.toContain("agent's words");
      expect(remedy).not.toBe("");
      if (access !== undefined) {
        // What the gateway has seen is believed: an agent keeps neither codes nor reset times.
        const [last] = (await access.report()).calls.slice(-1);
        expect(code).toBe(last && modelFailure(last, new Date())?.code);
      }
    }, 120_000);

    test("any line can be read: what is not known says nothing or is a message, and nothing throws", () => {
      const reader = under.backend.reader("/agent/space");
      const lines = [
        "",
        " ",
        "{",
        "null",
        "[1]",
        '{"type":"__proto__"}',
        "\u0000\ufffd",
        "x".repeat(99),
      ];
      for (const line of [
        ...lines,
        ...lines.map((text) => JSON.stringify({ type: text, item: text })),
      ]) {
        for (const event of [...reader.read(line), ...reader.read(line, "}}")]) {
          expect(EVENT_TYPES).toContain(event.type);
        }
      }
      const exit = { exitCode: 1, signal: null, stderrTail: "", calls: [] };
      expect(reader.classify(exit)).toBeDefined();
    });

    test("each attempt is read by a reader of its own", () => {
      const [one, other] = [under.backend.reader("/w"), under.backend.reader("/w")];
      one.read('{"type":"turn.failed","error":{"message":"429 Too Many Requests"}}');
      const exit = { exitCode: null, signal: "SIGKILL", stderrTail: "", calls: [] };
      expect(other.classify(exit)).toEqual(under.backend.reader("/w").classify(exit));
    });
  });
}
