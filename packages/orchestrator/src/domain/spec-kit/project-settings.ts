/** What a Spec Kit project says of itself; null where its files say nothing. */
export interface ProjectSettings {
  /** Version of Spec Kit that last wrote the project's files. */
  readonly version: string | null;
  readonly script: "sh" | "ps" | "py" | null;
  readonly featureNumbering: "sequential" | "timestamp" | null;
  /** The agent it was set up for, by Spec Kit's key: `codex`, `claude`, `copilot`, … */
  readonly agent: string | null;
}

/**
 * Reads a project's settings from the text of its two files. Older ones have only the second, the
 * oldest none; a value that is none of the known is as good as none.
 *
 * @param integration `.specify/integration.json`
 * @param options `.specify/init-options.json`
 */
export function readProjectSettings(
  integration: string | undefined,
  options: string | undefined,
): ProjectSettings {
  const files = [objectIn(integration), objectIn(options)];
  const first = (names: readonly string[], form: RegExp): string | null => {
    for (const file of files) {
      for (const name of names) {
        const value = file[name];
        if (typeof value === "string" && form.test(value)) {
          return value;
        }
      }
    }
    return null;
  };
  return {
    version: first(["speckit_version", "version"], /^v?\d+(?:\.\d+)+[0-9A-Za-z.+-]{0,30}$/),
    script: first(["script"], /^(?:sh|ps|py)$/) as ProjectSettings["script"],
    featureNumbering: first(
      ["feature_numbering", "branch_numbering"],
      /^(?:sequential|timestamp)$/,
    ) as ProjectSettings["featureNumbering"],
    agent: first(["default_integration", "integration", "ai"], /^[a-z][a-z0-9-]{0,40}$/),
  };
}

/** Whether a version is known to be at least `major.minor`. */
export function isSince(version: string | null, major: number, minor: number): boolean {
  const [, ours = "", its = ""] = /^v?(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return ours !== "" && (Number(ours) > major || (Number(ours) === major && Number(its) >= minor));
}

function objectIn(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text ?? "");
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
