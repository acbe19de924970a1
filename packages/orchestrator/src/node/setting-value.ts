import { readFileSync } from "node:fs";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { SettingFacts } from "./settings-table.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A setting's text: of its variable, or of the file that its `_FILE` twin names. An empty one counts as not set.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` where both are set, or the file cannot be read
 */
export function settingValue(setting: SettingFacts, env: Environment): string | undefined {
  const direct = env[setting.name] || undefined;
  const file = (setting.secret && env[`${setting.name}_FILE`]) || undefined;
  if (file === undefined) {
    return direct;
  }
  if (direct !== undefined) {
    throw invalid(`${setting.name}: expected either it or ${setting.name}_FILE, got both`);
  }
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (cause) {
    throw invalid(`${setting.name}_FILE: expected a readable file, got ${file}`, cause);
  }
}

export function invalid(message: string, cause?: unknown): SpeckitError {
  return new SpeckitError("CONFIGURATION_INVALID", message, cause === undefined ? {} : { cause });
}
