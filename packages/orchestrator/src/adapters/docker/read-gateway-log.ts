import type Docker from "dockerode";
import { Frames } from "./output/frames.ts";
import { openLog } from "./output/open-log.ts";

const WITHIN_MS = 10_000;
const MAX_BYTES = 256 * 1024;
const WORDS_CHARACTERS = 500;

/** What a gateway's container has said so far; nothing of one that is no more. */
export async function readGatewayLog(
  docker: Docker,
  containerId: string,
): Promise<{ readonly isReady: boolean; readonly lastWords: string }> {
  const frames = new Frames();
  let stdout = "";
  let stderr = "";
  const log = await openLog(docker, containerId, {
    follow: false,
    signal: AbortSignal.timeout(WITHIN_MS),
  }).catch(() => undefined);
  for await (const piece of log ?? []) {
    const read = frames.push(piece as Buffer);
    stdout = (stdout + Buffer.from(read.stdout).toString()).slice(0, MAX_BYTES);
    stderr = (stderr + Buffer.from(read.stderr).toString()).slice(-MAX_BYTES);
  }
  return {
    isReady: stdout.split("\n").some(isReadyLine),
    lastWords: stderr.replaceAll(/\s+/g, " ").trim().slice(-WORDS_CHARACTERS),
  };
}

function isReadyLine(line: string): boolean {
  return line.startsWith('{"event":"ready"');
}
