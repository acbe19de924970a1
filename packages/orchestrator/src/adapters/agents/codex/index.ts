export { type CodexBackendOptions, codexBackend } from "./codex-backend.ts";
export { CODEX_OPTION_NAMES } from "./codex-options.ts";
