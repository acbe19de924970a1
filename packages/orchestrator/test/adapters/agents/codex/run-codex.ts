import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { codexBinary, tempFolder } from "@speckit/testkit";
import { execa } from "execa";

/** One line of `codex exec --json`. */
export type CodexEvent = Readonly<Record<string, unknown>> & { readonly type: string };

export interface CodexRun {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly events: readonly CodexEvent[];
  readonly stderr: string;
  /** What Codex gives as the reason of a failed turn. */
  readonly failure: string | undefined;
}

export interface BareCodex extends AsyncDisposable {
  /** Absolute paths of folders of its own. */
  readonly workspace: string;
  readonly home: string;
  readonly run: (options: {
    readonly baseUrl: string;
    readonly prompt: string;
    readonly model?: string;
    /** Where it works, relative to the workspace. */
    readonly folder?: string;
    /** Of the tools. */
    readonly env?: Readonly<Record<string, string>>;
    /** More of the provider's settings, in TOML. */
    readonly provider?: string;
    /** Of Codex itself. Default: the key it asks for. */
    readonly codexEnv?: Readonly<Record<string, string>>;
    /** SIGKILL after this time. Default 60 000. */
    readonly killAfterMs?: number;
  }) => Promise<CodexRun>;
}

/** Codex as it comes, without anything of ours: what it does by itself with a model that misbehaves. */
export async function bareCodex(): Promise<BareCodex> {
  const folder = await tempFolder("codex");
  const workspace = join(folder.path, "repo");
  const home = join(folder.path, "home");
  await Promise.all([mkdir(workspace), mkdir(home)]);
  return {
    workspace,
    home,
    async run({
      baseUrl,
      prompt,
      model = "gpt-5.5",
      folder: cwd = "",
      env = {},
      provider,
      codexEnv = { JOB_KEY: "sk-throw-away" },
      killAfterMs = 60_000,
    }) {
      const settings = [
        `name="job",base_url=${JSON.stringify(baseUrl)},env_key="JOB_KEY",wire_api="responses"`,
        ...(provider === undefined ? [] : [provider]),
      ];
      const done = await execa(
        codexBinary(),
        [
          ...["exec", "--json", "--color", "never", "--strict-config", "--skip-git-repo-check"],
          ...["unbounded_connection_retries", "shell_snapshot", "plugins", "apps"].flatMap(
            (feature) => ["--disable", feature],
          ),
          ...["-c", "analytics.enabled=false", "-c", "allow_login_shell=false"],
          ...["-c", `shell_environment_policy={inherit="core",set=${inlineTable(env)}}`],
          ...["-c", "model_provider=job", "-c", `model_providers.job={${settings.join(",")}}`],
          ...[
            "--dangerously-bypass-approvals-and-sandbox",
            "--cd",
            join(workspace, cwd),
            "--model",
            model,
          ],
          "-",
        ],
        {
          input: prompt,
          env: { PATH: process.env.PATH ?? "", HOME: home, ...codexEnv },
          extendEnv: false,
          reject: false,
          timeout: killAfterMs,
          killSignal: "SIGKILL",
        },
      );
      const events = String(done.stdout)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as CodexEvent);
      const failed = events.find(({ type }) => type === "turn.failed");
      return {
        exitCode: done.exitCode,
        signal: done.signal,
        events,
        stderr: String(done.stderr),
        failure: (failed?.error as { readonly message: string } | undefined)?.message,
      };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function inlineTable(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(",")}}`;
}
