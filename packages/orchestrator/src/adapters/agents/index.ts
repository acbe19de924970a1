export { CODEX_OPTION_NAMES, type CodexBackendOptions, codexBackend } from "./codex/index.ts";
export { type CommandBackendOptions, commandBackend } from "./command/index.ts";
export { scriptedBackend } from "./scripted-backend.ts";
