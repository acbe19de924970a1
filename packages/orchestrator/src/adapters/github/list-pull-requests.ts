import { type FoundPullRequest, foundPullRequest, type Work } from "./pull-request-work.ts";

/** Every pull request of the head branch, open or not, the newest first; at most the newest 100. */
export async function listPullRequests(
  { client, name, wanted }: Work,
  owner: string,
): Promise<readonly FoundPullRequest[]> {
  const pulls = await client.ask((request) =>
    request("GET /repos/{owner}/{repo}/pulls", {
      ...name,
      head: `${owner}:${wanted.head}`,
      state: "all",
      sort: "created",
      direction: "desc",
      per_page: 100,
    }),
  );
  // GitHub leaves a filter that it cannot read out, and shows every pull request there is.
  return pulls
    .filter(
      ({ head, base }) =>
        head.ref === wanted.head && (head.repo?.id ?? base.repo.id) === base.repo.id,
    )
    .map(foundPullRequest)
    .sort((a, b) => b.number - a.number);
}

export function openOnes(known: readonly FoundPullRequest[]): readonly FoundPullRequest[] {
  return known.filter(({ state }) => state === "open");
}
