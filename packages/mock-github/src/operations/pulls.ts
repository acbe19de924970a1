import { invalid, type MockAnswer, ok, refused } from "../answer.ts";
import { commitsBetween, shaOf } from "../branches.ts";
import type { MockPull } from "../state.ts";
import { pullOf, type RepositoryCall, type RepositoryOperation } from "./operation.ts";

/** GitHub's own limits, in characters. */
const LONGEST_BODY = 65_536;
const LONGEST_TITLE = 256;

export const listPulls: RepositoryOperation = {
  needs: ["pull_requests=read"],
  carryOut({ repository, answers, query }) {
    const state = query.get("state") ?? "open";
    const head = query.get("head");
    // As GitHub does: a filter without an owner is no filter.
    const isFiltered = head?.includes(":") === true;
    const wanted = repository.pulls.filter(
      (pull) =>
        (state === "all" || (state === "open") === (pull.state === "open")) &&
        (!isFiltered || head === `${repository.owner}:${pull.head}`),
    );
    const sorted = query.get("direction") === "asc" ? wanted : wanted.toReversed();
    const page = sorted.slice(0, Number(query.get("per_page") ?? 30));
    return ok(page.map((pull) => answers.pullInList(repository, pull)));
  },
};

export const createPull: RepositoryOperation = {
  needs: ["pull_requests=write"],
  carryOut(call) {
    const { repository, answers, grant, body } = call;
    const {
      title = "",
      head = "",
      base = "",
      body: text = "",
      draft = false,
    } = body as unknown as Partial<MockPull>;
    const refusal = refusalOf(call, { title, head, base, text, draft });
    if (refusal !== undefined) {
      return refusal;
    }
    const pull: MockPull = {
      number: repository.pulls.length + 1,
      head,
      base,
      title,
      body: text,
      draft,
      state: "open",
      endedAtSha: undefined,
      author: grant?.login ?? "nobody",
      labels: [],
      assignees: [],
      reviewers: [],
      teams: [],
      reviews: [],
      events: [],
    };
    repository.pulls.push(pull);
    return ok(answers.pull(repository, pull), 201);
  },
};

function refusalOf(
  { repository }: RepositoryCall,
  {
    title,
    head,
    base,
    text,
    draft,
  }: { title: string; head: string; base: string; text: string; draft: boolean },
): MockAnswer | undefined {
  const resource = "PullRequest";
  for (const [field, branch] of [
    ["head", head],
    ["base", base],
  ] as const) {
    if (shaOf(repository.folder, branch) === undefined) {
      return invalid([{ resource, field, code: "invalid" }]);
    }
  }
  const tooLong = longTexts(title, text);
  if (tooLong !== undefined) {
    return tooLong;
  }
  const custom = (message: string): MockAnswer => invalid([{ resource, code: "custom", message }]);
  const there = repository.pulls.some(
    (pull) => pull.state === "open" && pull.head === head && pull.base === base,
  );
  if (there) {
    return custom(`A pull request already exists for ${repository.owner}:${head}.`);
  }
  if (commitsBetween(repository.folder, base, head) === 0) {
    return custom(`No commits between ${base} and ${head}`);
  }
  return draft && !repository.drafts
    ? refused(422, "Draft pull requests are not supported in this repository.")
    : undefined;
}

function longTexts(title: string, text: string): MockAnswer | undefined {
  const resource = "PullRequest";
  const tooLong = (field: string, most: number): MockAnswer =>
    invalid([
      {
        resource,
        field,
        code: "custom",
        message: `${field} is too long (maximum is ${most} characters)`,
      },
    ]);
  return title.length > LONGEST_TITLE
    ? tooLong("title", LONGEST_TITLE)
    : text.length > LONGEST_BODY
      ? tooLong("body", LONGEST_BODY)
      : undefined;
}

export const updatePull: RepositoryOperation = {
  needs: ["pull_requests=write"],
  carryOut(call) {
    const { repository, answers, body } = call;
    const pull = pullOf(call);
    if (pull === undefined) {
      return refused(404, "Not Found");
    }
    const { title, body: text, state } = body as { title?: string; body?: string; state?: string };
    const tooLong = longTexts(title ?? "", text ?? "");
    if (tooLong !== undefined) {
      return tooLong;
    }
    pull.title = title ?? pull.title;
    pull.body = text ?? pull.body;
    if (state === "closed" && pull.state === "open") {
      pull.state = "closed";
      pull.endedAtSha = shaOf(repository.folder, pull.head);
    }
    return ok(answers.pull(repository, pull));
  },
};

export const listReviews: RepositoryOperation = {
  needs: ["pull_requests=read"],
  carryOut: (call) => {
    const pull = pullOf(call);
    return pull === undefined
      ? refused(404, "Not Found")
      : ok(pull.reviews.map(({ login }) => call.answers.review(login)));
  },
};

export const listEvents: RepositoryOperation = {
  needs: ["issues=read", "pull_requests=read"],
  carryOut: (call) => {
    const pull = pullOf(call);
    return pull === undefined
      ? refused(404, "Not Found")
      : ok(pull.events.map(({ event, login }) => call.answers.event(event, login)));
  },
};
