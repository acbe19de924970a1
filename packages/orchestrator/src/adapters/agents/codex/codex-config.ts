import type { CodexChoice } from "./codex-options.ts";

/** Name of the variable the throw-away token is in; Codex reads it, tool commands do not get it. */
export const TOKEN_VARIABLE = "SPECKIT_MODEL_TOKEN";

/** Codex's own patience with a silent stream; the gateway cuts one sooner. */
const STREAM_IDLE_MS = 300_000;

/**
 * Codex's `config.toml` for one attempt: nothing is asked, nothing is remembered, nothing is fetched
 * but from the gateway. Every key was tried with Codex 0.169.0 under `--strict-config`: a version
 * that no longer knows one refuses to start, instead of quietly calling home.
 */
export function codexConfig(options: {
  readonly baseUrl: string;
  readonly choice: CodexChoice;
  /** What tool commands see besides the core variables. */
  readonly toolEnv: Readonly<Record<string, string>>;
}): string {
  const { baseUrl, choice, toolEnv } = options;
  return toml([
    ["", { ...choice.settings, model_provider: "speckit", approval_policy: "never" }],
    [
      "",
      {
        // Traffic and prompts nobody waits for. The last two hosts a start would ask for go with
        // analytics and the feature `plugins`.
        check_for_update_on_startup: false,
        // A login shell reads /etc/profile, which replaces PATH.
        allow_login_shell: false,
        web_search: "disabled",
        project_doc_max_bytes: 32_768,
      },
    ],
    [
      "model_providers.speckit",
      {
        name: "speckit",
        base_url: baseUrl,
        wire_api: "responses",
        env_key: TOKEN_VARIABLE,
        requires_openai_auth: false,
        // The built-in provider tries a WebSocket for seven seconds first.
        supports_websockets: false,
        request_max_retries: 4,
        stream_max_retries: 5,
        stream_idle_timeout_ms: STREAM_IDLE_MS,
      },
    ],
    ["shell_environment_policy", { inherit: "core", ignore_default_excludes: false }],
    ["shell_environment_policy.set", toolEnv],
    ["sandbox_workspace_write", { network_access: false }],
    ["analytics", { enabled: false }],
    ["otel", { exporter: "none", metrics_exporter: "none" }],
    ["history", { persistence: "none" }],
    ["agents", { enabled: false }],
    [
      "features",
      {
        plugins: false,
        apps: false,
        goals: false,
        // Writes the whole environment to a file that stays there when Codex is killed.
        shell_snapshot: false,
        // Connection refused is tried for ever otherwise.
        unbounded_connection_retries: false,
      },
    ],
  ]);
}

type Value = string | number | boolean;

/** Tables of plain values. A JSON string is a basic string of TOML. */
function toml(tables: readonly (readonly [string, Readonly<Record<string, Value>>])[]): string {
  const lines = tables.flatMap(([name, values]) => [
    ...(name === "" ? [] : [`[${name}]`]),
    ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
  ]);
  return `${lines.join("\n")}\n`;
}
