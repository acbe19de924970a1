export { type ProcessRuntimeOptions, processRuntime } from "./process-runtime.ts";
