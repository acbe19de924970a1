export { type CommandBackendOptions, commandBackend } from "./command-backend.ts";
