import { invalid, ok, refused } from "../answer.ts";
import { pullOf, type RepositoryOperation, sameName } from "./operation.ts";

const EITHER = ["issues=write", "pull_requests=write"] as const;

export const getLabel: RepositoryOperation = {
  needs: ["issues=read", "pull_requests=read"],
  carryOut: ({ repository, answers, path }) => {
    const label = [...repository.labels].find((name) => sameName(name, path.name ?? ""));
    return label === undefined ? refused(404, "Not Found") : ok(answers.label(label));
  },
};

export const createLabel: RepositoryOperation = {
  needs: EITHER,
  carryOut({ repository, answers, body }) {
    const name = String(body.name);
    const resource = "Label";
    if ([...repository.labels].some((label) => sameName(label, name))) {
      return invalid([{ resource, field: "name", code: "already_exists" }]);
    }
    if (name.length > 50) {
      const message = "name is too long (maximum is 50 characters)";
      return invalid([{ resource, field: "name", code: "custom", message }]);
    }
    repository.labels.add(name);
    return ok(answers.label(name), 201);
  },
};

export const addLabels: RepositoryOperation = {
  needs: EITHER,
  carryOut(call) {
    const { repository, answers, body } = call;
    const pull = pullOf(call);
    if (pull === undefined) {
      return refused(404, "Not Found");
    }
    for (const name of body.labels as string[]) {
      repository.labels.add(name);
      if (!pull.labels.some((label) => sameName(label, name))) {
        pull.labels.push(name);
      }
    }
    return ok(pull.labels.map((label) => answers.label(label)));
  },
};

export const addAssignees: RepositoryOperation = {
  needs: EITHER,
  carryOut(call) {
    const { repository, answers, body } = call;
    const pull = pullOf(call);
    if (pull === undefined) {
      return refused(404, "Not Found");
    }
    for (const login of body.assignees as string[]) {
      // As GitHub does: others are left out in silence.
      if (repository.collaborators.has(login) && !pull.assignees.includes(login)) {
        pull.assignees.push(login);
      }
    }
    return ok(answers.issue(pull), 201);
  },
};

export const requestReviewers: RepositoryOperation = {
  needs: ["pull_requests=write"],
  carryOut(call) {
    const { repository, answers, body } = call;
    const pull = pullOf(call);
    if (pull === undefined) {
      return refused(404, "Not Found");
    }
    const { reviewers = [], team_reviewers: teams = [] } = body as {
      reviewers?: string[];
      team_reviewers?: string[];
    };
    if (reviewers.includes(pull.author)) {
      return refused(422, "Review cannot be requested from pull request author.");
    }
    const full = `${repository.owner}/${repository.name}`;
    if (
      reviewers.some((login) => !repository.collaborators.has(login)) ||
      teams.some((slug) => !repository.teams.has(slug))
    ) {
      return refused(
        422,
        `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${full} repository.`,
      );
    }
    pull.reviewers.push(...reviewers.filter((login) => !pull.reviewers.includes(login)));
    pull.teams.push(...teams.filter((slug) => !pull.teams.includes(slug)));
    return ok(answers.pullInList(repository, pull), 201);
  },
};
