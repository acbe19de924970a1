import picomatch from "picomatch";
import { z } from "zod";
import type { PublishRules } from "../application/dependencies.ts";
import type { OrchestratorConfig } from "./config.ts";

/** One pattern of paths from the repository's root. */
export const publishPattern = z.string().regex(/^(?![/!])(?!(?:.*\/)?\.\.(?:\/|$))[^\\]{1,200}$/, {
  error: "expected a pattern of paths from the repository's root, as src/**",
});

/** `*` and `**` also match names that begin with a dot: what is not to be pushed is not matched at all. */
export function publishRules({
  paths = [],
  workflows,
  ...limits
}: NonNullable<OrchestratorConfig["publish"]>): PublishRules {
  return {
    ...limits,
    isAllowedPath: paths.length === 0 ? () => false : picomatch([...paths], { dot: true }),
    ...(workflows === undefined ? {} : { allowsWorkflows: workflows }),
  };
}
