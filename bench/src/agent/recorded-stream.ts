import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { startMockModel } from "@speckit/mock-model";
import { AGENT_PHASES, type AgentBackend } from "@speckit/orchestrator";
import { bareAttempt, commandOf, newHome, newWorkspace, writeAll } from "./attempt.ts";

/** A command's output is told in one line, up to 1 MiB of it; in JSON a NUL takes six characters. */
const LOUD = "RUN{{head -c 2000000 /dev/zero}}";
const LONG_LINE_BYTES = 6_000_000;

export interface RecordedStream {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
  readonly longestBytes: number;
}

/**
 * Records what Codex prints in three phases and when a command prints a lot, and writes it to a file,
 * again and again. The stream ends as a turn does whose model does not exist: nobody tries again.
 */
export async function recordStream(
  backend: AgentBackend,
  folder: string,
  atLeastBytes: number,
): Promise<RecordedStream> {
  const { short, long } = await record(backend, folder);
  const path = join(folder, "recorded.jsonl");
  const file = createWriteStream(path);
  let bytes = 0;
  let lines = 0;
  const write = async (text: string): Promise<void> => {
    bytes += Buffer.byteLength(text);
    lines += text.split("\n").length - 1;
    if (!file.write(text)) {
      await once(file, "drain");
    }
  };
  // About half of the stream is long lines.
  const shortLines = short.repeat(Math.ceil(long.length / Buffer.byteLength(short)));
  while (bytes < atLeastBytes) {
    await write(shortLines);
    await write(long);
  }
  await write(
    `${JSON.stringify({ type: "turn.failed", error: { message: "The model `nope` does not exist or you do not have access to it." } })}\n`,
  );
  file.end();
  await finished(file);
  return { path, bytes, lines, longestBytes: Buffer.byteLength(long) };
}

async function record(backend: AgentBackend, folder: string) {
  await using model = await startMockModel();
  const workspace = await newWorkspace(folder);
  const run = async (scenario: string, phase: (typeof AGENT_PHASES)[number], prompt?: string) => {
    const place = { workspace, home: await newHome(folder, `${scenario}-${phase}`) };
    const access = { baseUrl: model.baseUrl(scenario), token: "sk-bench" };
    const command = commandOf(backend, phase, place, access);
    const files = command.files.map(({ path, content }) => [path, content]);
    await writeAll(place.home, Object.fromEntries(files));
    return bareAttempt(prompt === undefined ? command : { ...command, stdin: prompt }, place);
  };
  const told: string[] = [];
  for (const phase of AGENT_PHASES) {
    told.push(await run("speckit", phase));
  }
  const loud = await run("run", "specify", LOUD);
  const long = loud
    .split("\n")
    .find((line) => line.includes('"item.completed"') && line.length > LONG_LINE_BYTES);
  if (long === undefined) {
    throw new Error("Codex has told no long line");
  }
  return { short: `${told.join("\n")}\n`, long: `${long}\n` };
}
