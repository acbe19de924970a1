import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const PIECE_BYTES = 64 * 1024;

/**
 * Carries out what the script file asks for before any document is written.
 *
 * @param {Record<string, any>} actions
 * @param {import("../scripted.mjs").Call} call
 * @returns {Promise<"stop" | "go on">} `stop`: the exit code is set, nothing more is to be done
 */
export async function misbehave(actions, { phase, attempt, runId }) {
  if (actions.appendTo !== undefined) {
    // One write of one short line: lines of several agents never mix.
    appendFileSync(actions.appendTo, `${phase} ${attempt} ${runId} ${process.pid} ${Date.now()}\n`);
  }
  if (actions.spawn !== undefined) {
    spawn("/bin/sh", ["-c", actions.spawn], { stdio: "ignore" }).unref();
  }
  if (actions.printBytes !== undefined) await print(actions.printBytes);
  if (actions.touchOutside !== undefined) {
    appendFileSync(actions.touchOutside, "Changed by speckit's scripted agent\n");
  }
  if (actions.sleepMs !== undefined) await sleep(actions.sleepMs);
  if (actions.signal !== undefined) {
    process.kill(process.pid, actions.signal);
    await sleep(1_000);
  }
  process.exitCode = actions.exitCode ?? 0;
  return process.exitCode === 0 ? "go on" : "stop";
}

async function print(bytes) {
  const piece = Buffer.alloc(PIECE_BYTES, "x");
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    if (!process.stdout.write(piece.subarray(0, Math.min(left, PIECE_BYTES)))) {
      await once(process.stdout, "drain");
    }
  }
}
