import { includesName, type Outcome, type Work } from "./pull-request-work.ts";
import { refusalOf } from "./refusal-of.ts";

/** GitHub leaves out, without a word, who may not be assigned: what it answers is compared. */
export async function addAssignees(
  { client, name, wanted }: Work,
  { found }: Outcome,
): Promise<readonly string[]> {
  const missing = wanted.assignees.filter((login) => !includesName(found.assignees, login));
  if (missing.length === 0) {
    return [];
  }
  let assigned: readonly string[] = [];
  const refusal = await refusalOf(async () => {
    const issue = await client.ask((request) =>
      request("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees", {
        ...name,
        issue_number: found.number,
        assignees: [...missing],
      }),
    );
    assigned = (issue.assignees ?? []).map(({ login }) => login);
  });
  if (refusal !== undefined) {
    return [`nobody was assigned (${missing.join(", ")}): ${refusal}`];
  }
  const left = missing.filter((login) => !includesName(assigned, login));
  return left.map((login) => `${login} was not assigned: no such user, or not of this repository`);
}
