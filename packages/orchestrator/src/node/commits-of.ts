import type { GitWorkspaceOptions } from "../adapters/git/index.ts";
import type { OrchestratorConfig } from "./config.ts";

/** Who commits, and what each commit ends with and is signed by. */
export function commitsOf(
  config: OrchestratorConfig,
): Pick<GitWorkspaceOptions, "identity" | "trailers" | "signing"> {
  const { commitName: name = "speckit", commitEmail: email = "speckit@localhost" } = config;
  const { commitTrailers = [], commitSigning: signing } = config;
  return {
    identity: { name, email },
    trailers: [
      ...commitTrailers,
      ...(config.commitSignoff === true ? [`Signed-off-by: ${name} <${email}>`] : []),
    ],
    ...(signing === undefined ? {} : { signing }),
  };
}

/** Paths of this machine may be remotes. */
export function allowsFile(config: OrchestratorConfig): boolean {
  return (
    config.allowPaths === true ||
    (config.repositories ?? []).some((pattern) => pattern.startsWith("file://"))
  );
}
