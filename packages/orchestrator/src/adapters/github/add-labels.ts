import { GitHubError } from "./github-failures.ts";
import { includesName, type Outcome, type Work } from "./pull-request-work.ts";
import { refusalOf } from "./refusal-of.ts";

/** Grey: the colour is the repository's to choose. */
const NEW_LABEL = { color: "ededed", description: "Made by speckit" };

export async function addLabels(
  work: Work,
  { found, needsDraftLabel }: Outcome,
): Promise<readonly string[]> {
  const { client, name, wanted, draftLabel } = work;
  const all = needsDraftLabel ? [...wanted.labels, draftLabel] : wanted.labels;
  const missing = all.filter(
    (label, ix) => !includesName(found.labels, label) && !includesName(all.slice(0, ix), label),
  );
  const notes: string[] = [];
  const usable: string[] = [];
  for (const label of missing) {
    const refusal = await refusalOf(() => ensureLabel(work, label));
    if (refusal === undefined) {
      usable.push(label);
    } else {
      notes.push(`the label ${label} could not be made: ${refusal}`);
    }
  }
  if (usable.length > 0) {
    const refusal = await refusalOf(() =>
      client.ask((request) =>
        request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
          ...name,
          issue_number: found.number,
          labels: usable,
        }),
      ),
    );
    if (refusal !== undefined) {
      notes.push(`labels were not added (${usable.join(", ")}): ${refusal}`);
    }
  }
  return notes;
}

/** Makes the label unless the repository has it. Somebody else may make it in between. */
async function ensureLabel({ client, name }: Work, label: string): Promise<void> {
  try {
    await client.ask((request) =>
      request("GET /repos/{owner}/{repo}/labels/{name}", { ...name, name: label }),
    );
    return;
  } catch (error) {
    if (!(error instanceof GitHubError && error.status === 404)) {
      throw error;
    }
  }
  try {
    await client.ask((request) =>
      request("POST /repos/{owner}/{repo}/labels", { ...name, name: label, ...NEW_LABEL }),
    );
  } catch (error) {
    if (!(error instanceof GitHubError && /\balready_exists\b/.test(error.words))) {
      throw error;
    }
  }
}
