export { type CommandBackendOptions, commandBackend } from "./command/index.ts";
export { scriptedBackend } from "./scripted-backend.ts";
