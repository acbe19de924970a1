import { GitHubError } from "./github-failures.ts";

/**
 * @returns what GitHub said when it refused this one thing, undefined when it did it
 * @throws what another call would meet as well
 */
export async function refusalOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof GitHubError && [403, 404, 410, 422].includes(error.status)) {
      if (error.code !== "PULL_REQUEST_HOST_LIMITED") {
        return error.code === "TOKEN_SCOPE_MISSING" ? error.message : error.words;
      }
    }
    throw error;
  }
}
