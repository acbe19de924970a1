import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type MockModel, startMockModel } from "@speckit/mock-model";
import { freePort } from "@speckit/private-broker";
import { tempFolder } from "@speckit/testkit";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { ErrorCode } from "../../../../src/domain/error-codes.ts";
import { ERROR_CODES } from "../../../../src/domain/error-codes.ts";
import type { AgentBackend } from "../../../../src/ports/agent-backend.ts";
import type { ModelCall } from "../../../../src/ports/model-gateway.ts";
import {
  type CarriedOut,
  carryOutPhase,
} from "../../../../src/testing/agent-backend/carry-out-phase.ts";
import { codexAtGateway } from "./codex-at-gateway.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

interface Attempt extends CarriedOut {
  readonly calls: readonly ModelCall[];
  /** What the words of Codex alone would have come to, without a gateway that has seen the calls. */
  readonly byWords: ErrorCode | undefined;
}

/** One attempt of the real Codex at a provider of its own. */
async function attemptAt(
  baseUrl: string,
  more: {
    readonly hangMs?: number;
    readonly silenceMs?: number;
    /** Default: open. `none`: no token and no address. `over`: of a gateway that is gone. */
    readonly access?: "open" | "none" | "over";
  } = {},
): Promise<Attempt> {
  const { hangMs, access: kind = "open", ...options } = more;
  await using folder = await tempFolder("codex");
  await mkdir(join(folder.path, "workspace"));
  await using codex = await codexAtGateway({ baseUrl, hangMs });
  await using access = kind === "none" ? undefined : await codex.open();
  if (kind === "over") {
    await codex[Symbol.asyncDispose]();
  }
  const done = await carryOutPhase({ ...codex, access }, folder.path, "specify", options);
  return {
    ...done,
    calls: (await access?.report())?.calls ?? [],
    byWords: byWords(codex.backend, done),
  };
}

function byWords(backend: AgentBackend, { stdout, exit }: CarriedOut): ErrorCode | undefined {
  const reader = backend.reader("/workspace");
  for (const line of stdout.split("\n")) {
    reader.read(line);
  }
  return reader.classify({ ...exit, calls: [] })?.code;
}

interface Row {
  readonly code: ErrorCode;
  /** Calls Codex makes for the one turn. */
  readonly calls: number;
  /** Due where the provider says when to come back. */
  readonly resetsInMs?: number;
  /** Where its own words say less than the gateway has seen. */
  readonly byWords?: ErrorCode;
}

/** The longest first: they are carried out side by side. */
const FAILURES: Readonly<Record<string, Row>> = {
  e500: { code: "MODEL_UNAVAILABLE", calls: 30 },
  e429ra: { code: "RATE_LIMITED", calls: 6, resetsInMs: 2_000 },
  "failed-rate_limit_exceeded": { code: "RATE_LIMITED", calls: 6, resetsInMs: 1_500 },
  e401: { code: "MODEL_CREDENTIALS_REFUSED", calls: 6 },
  e403: { code: "MODEL_CREDENTIALS_REFUSED", calls: 6 },
  cut: { code: "MODEL_UNAVAILABLE", calls: 6 },
  trunc: { code: "MODEL_UNAVAILABLE", calls: 6 },
  "failed-server_error": { code: "MODEL_UNAVAILABLE", calls: 6 },
  e503: { code: "MODEL_UNAVAILABLE", calls: 5 },
  e400: { code: "MODEL_REQUEST_REFUSED", calls: 1 },
  e404model: { code: "MODEL_NOT_FOUND", calls: 1 },
  e429: { code: "RATE_LIMITED", calls: 1 },
  // Longer than an agent should wait for: it ends at once, its run waits.
  "e429ra-90": { code: "RATE_LIMITED", calls: 1, resetsInMs: 90_000 },
  e429quota: { code: "QUOTA_EXHAUSTED", calls: 1 },
  e429usage: { code: "QUOTA_EXHAUSTED", calls: 1, resetsInMs: 3_600_000 },
  incomplete: { code: "CONTEXT_TOO_LONG", calls: 1 },
  "failed-insufficient_quota": { code: "QUOTA_EXHAUSTED", calls: 1 },
  "failed-context_length_exceeded": { code: "CONTEXT_TOO_LONG", calls: 1 },
  "failed-server_is_overloaded": { code: "MODEL_UNAVAILABLE", calls: 1 },
  "failed-invalid_prompt": { code: "MODEL_REQUEST_REFUSED", calls: 1, byWords: "AGENT_FAILED" },
};

describe.concurrent("a turn that fails ends by itself, and is told by its code and class:", () => {
  test("connection refused", async ({ expect }) => {
    const { failure, exit, calls } = await attemptAt(`http://127.0.0.1:${await freePort()}/v1`);
    expect([failure, exit.endedBy]).toMatchObject([
      { code: "MODEL_UNAVAILABLE", class: "transient" },
      undefined,
    ]);
    expect(new Set(calls.map(({ errorCode }) => errorCode))).toEqual(new Set(["ECONNREFUSED"]));
  });

  test("a gateway that is gone", async ({ expect }) => {
    const baseUrl = model.baseUrl("ok-gone");
    const { failure, exit } = await attemptAt(baseUrl, { access: "over" });
    expect([failure, exit.endedBy]).toMatchObject([{ code: "MODEL_UNAVAILABLE" }, undefined]);
    expect(model.requests("ok-gone")).toEqual([]);
  });

  test.for(Object.entries(FAILURES))("%s", async ([scenario, row], { expect }) => {
    const { failure, exit, calls, byWords, stdout } = await attemptAt(model.baseUrl(scenario));
    const asked = model.requests(scenario);
    expect(
      { code: failure?.code, calls: calls.length, byWords, endedBy: exit.endedBy },
      stdout.slice(-2_000),
    ).toEqual({ code: row.code, calls: row.calls, byWords: row.byWords ?? row.code });
    expect(failure?.class).toBe(ERROR_CODES[row.code].class);
    // What the gateway refuses itself, while the key rests, the provider never hears.
    expect(asked.length).toBe(calls.filter(({ outcome }) => outcome !== "refused").length);
    if (row.resetsInMs === undefined) {
      expect(failure?.resetsAt).toBeUndefined();
    } else {
      const afterMs = Date.parse(failure?.resetsAt ?? "") - (asked.at(-1)?.atMs ?? 0);
      expect(afterMs).toBeGreaterThanOrEqual(row.resetsInMs - 1_000);
      expect(afterMs).toBeLessThan(row.resetsInMs + 5_000);
    }
  });

  test("no key, and nobody is asked", async ({ expect }) => {
    const baseUrl = model.baseUrl("ok-keyless");
    const { failure, exit } = await attemptAt(baseUrl, { access: "none" });
    expect([failure, exit.endedBy]).toMatchObject([
      { code: "MODEL_CREDENTIALS_REFUSED", class: "permanent" },
      undefined,
    ]);
    expect(model.requests("ok-keyless")).toEqual([]);
  });
});

describe.concurrent("a provider that goes silent", () => {
  test.for([
    ["hanghdr", "before its headers"],
    ["hang", "in the stream"],
  ] as const)("%s: %s, is given one more try", async ([scenario], { expect }) => {
    const { failure, calls } = await attemptAt(model.baseUrl(scenario), { hangMs: 500 });
    expect(failure).toMatchObject({ code: "MODEL_HUNG", class: "transient" });
    expect(calls.map(({ outcome }) => outcome)).toEqual(["hung", "hung"]);
    expect(model.requests(scenario).length).toBe(2);
  });

  test("for longer than a patient gateway waits, is ended by the runtime's watchdog", async ({
    expect,
  }) => {
    const baseUrl = model.baseUrl("hanghdr-silent");
    const { exit, calls } = await attemptAt(baseUrl, { silenceMs: 4_000 });
    expect(exit.endedBy).toBe("silence");
    expect(calls).toMatchObject([{ outcome: "cut", errorCode: "client_gone" }]);
    expect(model.requests("hanghdr-silent").length).toBe(1);
  });
});

describe.concurrent("a turn goes on", () => {
  test.for([
    ["flaky500-3", 4],
    ["flaky429-2", 3],
    ["flakycut-2", 3],
    ["slow-50", 1],
  ] as const)("after %s", async ([scenario, requests], { expect }) => {
    const { failure, exit } = await attemptAt(model.baseUrl(scenario));
    expect({ failure, exitCode: exit.exitCode }).toEqual({ failure: undefined, exitCode: 0 });
    expect(model.requests(scenario).length).toBe(requests);
  });
});
