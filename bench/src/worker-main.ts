import { once } from "node:events";
import { hostname } from "node:os";
import { type NoopOptions, openNoopOrchestrator } from "./noop/noop-orchestrator.ts";

/**
 * A worker of no-op phases as a process of its own, to be measured and killed. Its options come as
 * JSON in its one argument; it prints its id when it takes work. SIGTERM drains it; it ends with the
 * process that has started it, whose end closes its stdin.
 */
const options: NoopOptions = JSON.parse(process.argv[2] ?? "{}");
const opened = await openNoopOrchestrator(options);
const worker = await opened.orchestrator.work({ slots: options.slots, hostname: hostname() });
process.stdout.write(`${worker.workerId}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(75));
await once(process, "SIGTERM");
await worker.drain();
await opened[Symbol.asyncDispose]();
process.exit(0);
