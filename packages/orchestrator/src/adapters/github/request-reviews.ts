import { includesName, type Outcome, type Work } from "./pull-request-work.ts";
import { refusalOf } from "./refusal-of.ts";

/** Somebody to ask, in the two forms that GitHub takes. */
interface Reviewers {
  readonly reviewers: readonly string[];
  readonly team_reviewers: readonly string[];
}

/**
 * Asks for reviews from those who were not asked before, all at once; one by one where GitHub refuses
 * them together, so that one wrong name costs no other its request.
 */
export async function requestReviews(work: Work, { found }: Outcome): Promise<readonly string[]> {
  const { wanted, name } = work;
  const notes: string[] = [];
  const open: string[] = [];
  for (const reviewer of wanted.reviewers) {
    const [login = "", team] = reviewer.split("/");
    if (team === undefined && includesName([found.author ?? ""], login)) {
      notes.push(`${login} was not asked for a review: GitHub asks no author`);
    } else if (team !== undefined && !includesName([name.owner], login)) {
      notes.push(`${reviewer} was not asked for a review: it is no team of ${name.owner}`);
    } else if (!includesName(team === undefined ? found.reviewers : found.teams, team ?? login)) {
      open.push(reviewer);
    }
  }
  const reviewed = open.length === 0 ? [] : await whoReviewed(work, found.number);
  const missing = open.filter((reviewer) => !includesName(reviewed, reviewer));
  if (missing.length === 0) {
    return notes;
  }
  const refusal = await ask(work, found.number, missing);
  if (refusal === undefined) {
    return notes;
  }
  if (missing.length === 1) {
    return [...notes, noteOf(missing[0], refusal)];
  }
  for (const reviewer of missing) {
    const refused = await ask(work, found.number, [reviewer]);
    if (refused !== undefined) {
      notes.push(noteOf(reviewer, refused));
    }
  }
  return notes;
}

function noteOf(reviewer: string | undefined, refusal: string): string {
  return `${reviewer} was not asked for a review: ${refusal}`;
}

/** Whoever has reviewed is no longer among the requested, and would be bothered again. */
async function whoReviewed({ client, name }: Work, number: number): Promise<readonly string[]> {
  const reviews = await client.ask((request) =>
    request("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", {
      ...name,
      pull_number: number,
      per_page: 100,
    }),
  );
  return reviews.flatMap(({ user }) => user?.login ?? []);
}

async function ask(
  { client, name }: Work,
  number: number,
  reviewers: readonly string[],
): Promise<string | undefined> {
  const { reviewers: logins, team_reviewers } = split(reviewers);
  return refusalOf(() =>
    client.ask((request) =>
      request("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
        ...name,
        pull_number: number,
        ...(logins.length === 0 ? {} : { reviewers: [...logins] }),
        ...(team_reviewers.length === 0 ? {} : { team_reviewers: [...team_reviewers] }),
      }),
    ),
  );
}

function split(reviewers: readonly string[]): Reviewers {
  return {
    reviewers: reviewers.filter((name) => !name.includes("/")),
    team_reviewers: reviewers.flatMap((name) => name.split("/")[1] ?? []),
  };
}
