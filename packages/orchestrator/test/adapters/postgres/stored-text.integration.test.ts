import { testDatabase } from "@speckit/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failure } from "../../../src/domain/failure.ts";
import { owned } from "../../../src/testing/run-repository/subject.ts";
import { anyText } from "../../any-text.ts";
import { postgresSubject } from "./postgres-subject.ts";

const database = await testDatabase();

describe("what an agent says", () => {
  test("is stored, with U+FFFD for what PostgreSQL has no text for", async () => {
    await using subject = await postgresSubject(database.url)();
    const { runs } = subject;
    const { runId, hold } = await owned(runs);
    const texts = [...fc.sample(anyText, 200), "\u0000", "a\ud800", "\udc00b", "\\u0000", "🚀"];
    await runs.appendEvents(
      hold,
      texts.map((text) => ({ type: "phase.message" as const, data: { text, [text]: [text] } })),
    );
    const events = await runs.eventsOf(runId, { afterSeq: 2, limit: 1_000 });
    const kept = texts.map((text) => text.replaceAll("\u0000", "\ufffd").toWellFormed());
    expect(events.map((event) => event.data.text)).toEqual(
      // A text that is the name `text` holds a list instead.
      kept.map((text) => (text === "text" ? [text] : text)),
    );
  });

  test("can stand in a failure, a finding and a question", async () => {
    await using subject = await postgresSubject(database.url)();
    const { runs } = subject;
    const { runId, hold } = await owned(runs);
    const attempt = await runs.startAttempt(hold, "specify");
    const said = "a\u0000b\ud800";
    const findings = [{ check: "x", path: said, expected: said, found: said }];
    const failed = failure("POSTCONDITION_FAILED", said, { findings });
    await runs.commitAttempt(hold, {
      end: {
        phase: "specify",
        attempt,
        state: "failed",
        failure: failed,
        findings,
        openQuestions: [{ id: "Q1", text: said }],
      },
      events: [],
      outcome: {
        outcome: "failed",
        failure: failed,
        closing: () => ({ neverStarted: [], events: [] }),
      },
    });
    expect((await runs.findRun(runId))?.failure?.message).toBe("a\ufffdb\ufffd");
    expect(await runs.attemptsOf(runId)).toMatchObject([
      { openQuestions: [{ text: "a\ufffdb\ufffd" }], findings: [{ path: "a\ufffdb\ufffd" }] },
    ]);
  });

  test("an artifact whose hash is none is refused, with everything else of its commit", async () => {
    await using subject = await postgresSubject(database.url)();
    const { runs } = subject;
    const { hold } = await owned(runs);
    const before = await subject.dump();
    await expect(
      runs.commitAttempt(hold, {
        phaseIx: 1,
        events: [{ type: "phase.succeeded" }],
        artifacts: [{ name: "a", bytes: 1, sha256: "none" }],
      }),
    ).rejects.toMatchObject({ code: "23514" });
    expect(await subject.dump()).toEqual(before);
  });
});
