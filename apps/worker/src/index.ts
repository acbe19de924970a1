export { runDaemon } from "./run-daemon.ts";
export { startWorker, type WorkerHandle } from "./start-worker.ts";
