import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Bench, printingBench } from "./bench.ts";
import { machineFacts } from "./machine-facts.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { openServices } from "./services.ts";

export type Part = (bench: Bench) => Promise<unknown>;

/**
 * A bench program: opens the services, measures part by part, prints a table for each, and writes
 * the samples to the file that `--json` names.
 */
export async function runBench(name: string, parts: Readonly<Record<string, Part>>): Promise<void> {
  const options = optionsOrUsage(Object.keys(parts));
  if (options === undefined) {
    return;
  }
  await using undo = new AsyncDisposableStack();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not `once`: without a listener left, execa takes the process down before anything is undone.
    process.on(signal, () => {
      // What is being measured loses its services below it, and has nothing more to say.
      process.on("uncaughtException", () => {});
      void undo.disposeAsync().finally(() => process.exit(130));
    });
  }
  const services = await openServices(undo);
  const { bench, kept } = printingBench(services, options.sizes);
  const facts = await machineFacts(services);
  bench.table(`bench ${name}`, ["", ""], Object.entries(facts));
  for (const [part, measure] of Object.entries(parts)) {
    if (options.parts.length === 0 || options.parts.includes(part)) {
      bench.say(part);
      await measure(bench);
    }
  }
  if (options.json !== undefined) {
    const path = resolve(options.json);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify({ name, facts, sizes: options.sizes, ...kept })}\n`);
  }
}

function optionsOrUsage(parts: readonly string[]): BenchOptions | undefined {
  try {
    return readOptions(process.argv.slice(2), parts);
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
    return undefined;
  }
}
