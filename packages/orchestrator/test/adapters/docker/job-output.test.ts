import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Frames } from "../../../src/adapters/docker/output/frames.ts";
import { JobOutput } from "../../../src/adapters/docker/output/job-output.ts";
import { LINE_BYTES } from "../../../src/adapters/docker/output/join-lines.ts";
import { Activity } from "../../../src/adapters/supervision/pump.ts";

function listen() {
  const heard = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[], lines: [] as string[] };
  const output = new JobOutput(
    {
      onStdout: async (piece) => void heard.stdout.push(Buffer.from(piece)),
      onStderr: async (piece) => void heard.stderr.push(Buffer.from(piece)),
      onLine: (line) => void heard.lines.push(line),
    },
    new Activity(),
  );
  return {
    output,
    lines: heard.lines,
    stdout: () => Buffer.concat(heard.stdout),
    stderr: () => Buffer.concat(heard.stderr),
  };
}

/** An agent's output with long lines cut, as the contract of the job image says. */
function cutLines(agent: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < agent.length; ) {
    const found = agent.indexOf(0x0a, at);
    const end = found === -1 ? agent.length : found;
    for (; end - at >= LINE_BYTES; at += LINE_BYTES) {
      parts.push(agent.subarray(at, at + LINE_BYTES), Buffer.from("\n"));
    }
    parts.push(agent.subarray(at, end + 1));
    at = end + 1;
  }
  return Buffer.concat(parts);
}

/** What the entry program makes of an agent's output. */
function written(agent: Buffer, trailer: object): Buffer {
  const newline = agent.length > 0 && agent.at(-1) !== 0x0a ? "\n" : "";
  return Buffer.concat([cutLines(agent), Buffer.from(`${newline}${JSON.stringify(trailer)}\n`)]);
}

function exitTrailer(stdout: Buffer, stderr: Buffer, more: object = {}): object {
  return {
    speckit: "exit",
    v: 1,
    exitCode: 3,
    signal: null,
    stdoutBytes: stdout.length,
    stderrBytes: stderr.length,
    ...more,
  };
}

function cut(data: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (data.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, ix) => data.subarray(from, places[ix] ?? data.length));
}

const NONE = Buffer.alloc(0);
const anyOutput = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom("\n", "\n\n", '{"speckit":"', '{"spec', '{"speckit":"exit"}\n', "word")
        .map((text) => Buffer.from(text)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

describe("a job's output", () => {
  test("is the agent's byte for byte, however it comes in pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyOutput,
        anyOutput,
        fc.array(fc.nat(200), { maxLength: 8 }),
        async (stdout, stderr, places) => {
          const { output, ...heard } = listen();
          const endedLine = stderr.length > 0 && stderr.at(-1) !== 0x0a;
          for (const piece of cut(written(stdout, exitTrailer(stdout, stderr)), places)) {
            await output.take(piece, NONE);
          }
          for (const piece of cut(
            endedLine ? Buffer.concat([stderr, Buffer.from("\n")]) : stderr,
            places,
          )) {
            await output.take(NONE, piece);
          }
          const trailer = output.trailer();
          expect(trailer).toMatchObject({ kind: "exit", exitCode: 3 });
          await output.end(trailer);
          expect(heard.stdout().equals(stdout)).toBe(true);
          expect(heard.stderr().equals(stderr)).toBe(true);
        },
      ),
    );
  });

  test.each([0, 1, LINE_BYTES - 1, LINE_BYTES, LINE_BYTES + 1, 2 * LINE_BYTES, 3 * LINE_BYTES + 7])(
    "has its lines of %i bytes whole again",
    async (length) => {
      const line = "x".repeat(length);
      for (const end of ["", "\n", "\n\n"]) {
        const { output, ...heard } = listen();
        const agent = Buffer.from(`${line}\nshort\n${line}${end}`);
        for (const piece of cut(
          written(agent, exitTrailer(agent, NONE)),
          [100, 16_000, 16_001, 17_000],
        )) {
          await output.take(piece, NONE);
        }
        await output.end(output.trailer());
        expect(heard.stdout().equals(agent)).toBe(true);
        const lines = agent.toString().replace(/\n$/, "").split("\n");
        expect(heard.lines).toEqual(
          agent.at(-1) === 0x0a || length > 0 ? lines : lines.slice(0, -1),
        );
      }
    },
  );

  test("has every line whole again, whatever the pieces", async () => {
    const lineLength = fc.oneof(
      fc.nat(50),
      fc.integer({ min: LINE_BYTES - 2, max: LINE_BYTES + 2 }),
      fc.integer({ min: 2 * LINE_BYTES - 2, max: 2 * LINE_BYTES + 2 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(lineLength, { maxLength: 6 }),
        fc.array(fc.nat(100_000), { maxLength: 6 }),
        async (lengths, places) => {
          const { output, ...heard } = listen();
          const agent = Buffer.from(lengths.map((length) => "x".repeat(length)).join("\n"));
          for (const piece of cut(written(agent, exitTrailer(agent, NONE)), places)) {
            await output.take(piece, NONE);
          }
          await output.end(output.trailer());
          expect(heard.stdout().equals(agent)).toBe(true);
        },
      ),
    );
  });

  test("given a second time from the start, only what is new is told", async () => {
    await fc.assert(
      fc.asyncProperty(anyOutput, fc.nat(100), fc.nat(100), async (stdout, first, second) => {
        const { output, ...heard } = listen();
        const log = written(stdout, exitTrailer(stdout, NONE));
        await output.take(log.subarray(0, first), NONE);
        output.restart();
        await output.take(log.subarray(0, second), NONE);
        output.restart();
        await output.take(log, NONE);
        await output.end(output.trailer());
        expect(heard.stdout().equals(stdout)).toBe(true);
      }),
    );
  });

  test("an agent's last line is told before it says the next", async () => {
    const { output, lines, stdout } = listen();
    await output.take(Buffer.from('{"type":"turn.started"}\n'), NONE);
    expect(lines).toEqual(['{"type":"turn.started"}']);
    expect(stdout().toString()).toBe('{"type":"turn.started"}');
  });

  test("a trailer that an agent makes up is its own output", async () => {
    const { output, lines, stdout } = listen();
    const fake = `${JSON.stringify({ speckit: "exit", v: 1, exitCode: 0, signal: null, stdoutBytes: 1, stderrBytes: 0 })}\n`;
    const agent = Buffer.from(`one\n${fake}`);
    await output.take(written(agent, exitTrailer(agent, NONE)), NONE);
    const trailer = output.trailer();
    expect(trailer).toMatchObject({ exitCode: 3 });
    await output.end(trailer);
    expect(stdout().equals(agent)).toBe(true);
    expect(lines).toEqual(["one", fake.trim()]);
  });

  test("a container that was started again says nothing about the first time", async () => {
    const { output, stdout } = listen();
    const agent = Buffer.from("one\n");
    const again = { speckit: "refused", v: 1, code: "not_started", stdoutBytes: 0, stderrBytes: 0 };
    const log = Buffer.concat([
      written(agent, exitTrailer(agent, NONE)),
      Buffer.from(`${JSON.stringify(again)}\n`),
    ]);
    await output.take(log, NONE);
    expect(output.trailer()).toMatchObject({ kind: "exit", exitCode: 3 });
    await output.end(output.trailer());
    expect(stdout().toString()).toBe("one\n");
  });

  test("without a trailer everything is the agent's", async () => {
    const { output, stdout, lines } = listen();
    await output.take(Buffer.from('one\n{"speckit":"half'), NONE);
    expect(output.trailer()).toBeUndefined();
    await output.end(undefined);
    expect(stdout().toString()).toBe('one\n{"speckit":"half');
    expect(lines).toEqual(["one", '{"speckit":"half']);
  });

  test("a trailer counts only when all that it counts has come", async () => {
    const { output } = listen();
    const stderr = Buffer.from("words\n");
    await output.take(written(NONE, exitTrailer(NONE, stderr)), NONE);
    expect(output.trailer()).toBeUndefined();
    await output.take(NONE, stderr);
    expect(output.trailer()).toBeDefined();
  });
});

describe("the frames of a log", () => {
  const framed = (stream: number, content: Buffer) => {
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(content.length, 4);
    return Buffer.concat([header, content]);
  };

  test("are put together again wherever they are cut", () => {
    const frame = fc.tuple(
      fc.constantFrom(1, 2),
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from([...bytes, 0x0a])),
    );
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(300), { maxLength: 10 }), (sent, places) => {
        const log = Buffer.concat(sent.map(([stream, content]) => framed(stream, content)));
        const frames = new Frames();
        const got = cut(log, places).map((piece) => frames.push(piece));
        const of = (stream: number) =>
          Buffer.concat(sent.filter(([own]) => own === stream).map(([, content]) => content));
        expect(Buffer.concat(got.map(({ stdout }) => stdout)).equals(of(1))).toBe(true);
        expect(Buffer.concat(got.map(({ stderr }) => stderr)).equals(of(2))).toBe(true);
        expect(got.reduce((sum, { frames: count }) => sum + count, 0)).toBe(sent.length);
      }),
    );
  });
});
