import { open } from "node:fs/promises";
import { SpeckitError } from "@speckit/orchestrator";
import { REQUEST_MAX_BYTES } from "@speckit/orchestrator/contract";

/**
 * The sentence from the argument, from stdin (`-`) or from a file; exactly one of them. Never reads
 * more than a request may hold.
 *
 * @throws SpeckitError `REQUEST_INVALID` or `REQUEST_TOO_LARGE`
 */
export async function readSentence(
  argument: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new SpeckitError(
      "REQUEST_INVALID",
      "Expected the sentence as argument or with --file, got both",
    );
  }
  if (file !== undefined) {
    return readFileText(file);
  }
  if (argument === undefined) {
    throw new SpeckitError(
      "REQUEST_INVALID",
      "Expected a sentence: as second argument, - for stdin, or with --file",
    );
  }
  return argument === "-" ? decode(await readAtMost(process.stdin, "stdin"), "stdin") : argument;
}

async function readFileText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    return decode(await readAtMost(file.createReadStream({ autoClose: false }), path), path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (["ENOENT", "EACCES", "EISDIR", "ENOTDIR"].includes(code)) {
      throw new SpeckitError(
        "REQUEST_INVALID",
        `--file: expected a readable file, got ${path} (${code})`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function readAtMost(stream: AsyncIterable<Buffer | string>, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    const buffer = Buffer.from(piece as Buffer);
    bytes += buffer.length;
    if (bytes > REQUEST_MAX_BYTES) {
      throw new SpeckitError(
        "REQUEST_TOO_LARGE",
        `The sentence from ${name} has more than ${REQUEST_MAX_BYTES} bytes`,
      );
    }
    pieces.push(buffer);
  }
  return Buffer.concat(pieces);
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trimEnd();
  } catch (cause) {
    throw new SpeckitError("REQUEST_INVALID", `The sentence from ${name} is not UTF-8`, { cause });
  }
}
