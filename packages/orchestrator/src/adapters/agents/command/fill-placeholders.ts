import { SpeckitError } from "../../../domain/speckit-error.ts";

/** What an argument may hold in braces, and what stands there at the start. */
export const PLACEHOLDERS = ["workspace", "home", "phase", "featureDirectory"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

const IN_BRACES = /\{([A-Za-z]+)\}/g;

/**
 * Checks a template of arguments.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` for an unknown name in braces: a misspelt one would
 * reach the agent as it stands, and mean something else there
 */
export function checkPlaceholders(backend: string, argv: readonly string[]): void {
  for (const argument of argv) {
    for (const [whole, name] of argument.matchAll(IN_BRACES)) {
      if (!(PLACEHOLDERS as readonly (string | undefined)[]).includes(name)) {
        throw new SpeckitError(
          "CONFIGURATION_INVALID",
          `Backend ${backend}: expected one of ${PLACEHOLDERS.map((known) => `{${known}}`).join(", ")}` +
            `, got ${whole} in the argument ${JSON.stringify(argument.slice(0, 100))}`,
        );
      }
    }
  }
}

/**
 * An argument with its placeholders filled: a value stays inside its one argument, whatever it
 * holds, since no shell ever sees it.
 */
export function fillPlaceholders(
  argument: string,
  values: Readonly<Record<Placeholder, string>>,
): string {
  return argument.replace(IN_BRACES, (_, name: Placeholder) => values[name]);
}
