import { expect, test } from "vitest";
import { processRuntime } from "../../../src/adapters/process/index.ts";
import { LINE_MAX_BYTES } from "../../../src/adapters/supervision/line-cutter.ts";
import { shellSpec, startJob, withFolder } from "./run-job.ts";

const MEGABYTE = 1024 * 1024;

test("300 MB without a newline pass through bounded memory, and one cut line comes of it", async () => {
  await withFolder(async (folder) => {
    const runtime = processRuntime();
    await runtime.report();
    let bytes = 0;
    let highestRss = 0;
    const lineLengths: number[] = [];
    const before = process.memoryUsage().rss;
    const spec = shellSpec(folder, `head -c ${300 * MEGABYTE} /dev/zero; printf '\\nlast'`);
    const job = await startJob(runtime, spec, {
      onStdout: async (piece) => {
        bytes += piece.length;
        highestRss = Math.max(highestRss, process.memoryUsage.rss());
      },
      onStderr: async () => {},
      onLine: (line) => lineLengths.push(line.length),
    });
    expect(await job.exit).toMatchObject({ exitCode: 0 });
    expect(bytes).toBe(300 * MEGABYTE + 5);
    expect(lineLengths).toEqual([LINE_MAX_BYTES, 4]);
    // Garbage of a heap that is not collected yet comes on top of what is held; a third of what went by.
    expect((highestRss - before) / MEGABYTE).toBeLessThan(100);
  });
}, 60_000);

test("a slow listener slows the agent down instead of filling memory", async () => {
  await withFolder(async (folder) => {
    let bytes = 0;
    let isOpen = false;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    // The agent says on stderr how many kilobytes it has got rid of when the pipe is full.
    const script = `
      ( while :; do head -c 1024 /dev/zero || exit; printf . >&2; done ) & sleep 1; kill $!; exit 0`;
    let dots = 0;
    const job = await startJob(processRuntime(), shellSpec(folder, script), {
      onStdout: async (piece) => {
        bytes += piece.length;
        await gate;
      },
      onStderr: async (piece) => {
        dots += piece.length;
        if (!isOpen && dots > 0) {
          isOpen = true;
          setTimeout(open, 1_200);
        }
      },
      onLine: () => {},
    });
    await job.exit;
    expect(dots).toBeGreaterThan(0);
    expect(dots).toBeLessThan(2_000);
    expect(bytes).toBeGreaterThan(0);
  });
}, 20_000);
