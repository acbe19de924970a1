import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../../open-session.ts";
import { visible } from "../../output/visible.ts";

type Content = AsyncIterable<Uint8Array>;

/**
 * `speckit artifacts show`: an artifact's bytes as they are, in pieces; a terminal gets them as text
 * that cannot steer it. `--json` has them in base64.
 */
export async function artifactsShowCommand(
  runId: string,
  name: string,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession(options);
  const content = session.orchestrator.artifact(runId, name);
  const shown =
    options.json === true
      ? asJson(runId, name, content)
      : process.stdout.isTTY
        ? asText(content)
        : content;
  await pipeline(Readable.from(shown), process.stdout, { end: false });
  return 0;
}

/** A character, and a surrogate pair, may lie across two pieces; the decoder waits for the rest. */
async function* asText(content: Content): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of content) {
    yield visible(decoder.decode(piece, { stream: true }));
  }
  yield visible(decoder.decode());
}

async function* asJson(runId: string, name: string, content: Content): AsyncGenerator<string> {
  let isBegun = false;
  let rest = Buffer.alloc(0);
  for await (const piece of content) {
    // Nothing is printed before the artifact is found: an error is a document of its own.
    if (!isBegun) {
      yield opening(runId, name);
      isBegun = true;
    }
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % 3);
    rest = bytes.subarray(whole);
    yield bytes.toString("base64", 0, whole);
  }
  yield `${isBegun ? "" : opening(runId, name)}${rest.toString("base64")}"}\n`;
}

function opening(runId: string, name: string): string {
  return `${JSON.stringify({ runId, name }).slice(0, -1)},"base64":"`;
}
