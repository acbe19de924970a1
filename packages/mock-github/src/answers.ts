import { shaOf } from "./branches.ts";
import type { OpenApiDocument } from "./description/load-description.ts";
import type { MockPull, MockRepository } from "./state.ts";

/**
 * Answers begin as the examples in GitHub's description, so that they have every field a real one has,
 * and are laid over with the state.
 */
export interface Answers {
  readonly repository: (repository: MockRepository, mayPush: boolean) => object;
  readonly branch: (name: string, sha: string) => object;
  readonly pull: (repository: MockRepository, pull: MockPull) => object;
  readonly pullInList: (repository: MockRepository, pull: MockPull) => object;
  readonly label: (name: string) => object;
  readonly issue: (pull: MockPull) => object;
  readonly review: (login: string) => object;
  readonly event: (event: string, login: string) => object;
  readonly installation: (id: number, appId: string) => object;
}

type Facts = Record<string, unknown>;

export function answersOf(document: OpenApiDocument, webUrl: string, apiUrl: string): Answers {
  const example = (name: string): Facts =>
    structuredClone(document.components.examples[name]?.value) as Facts;
  const firstOf = (name: string): Facts => (example(name) as unknown as Facts[])[0] ?? {};

  function user(login: string): Facts {
    const { user: octocat } = example("pull-request");
    return {
      ...(octocat as Facts),
      login,
      html_url: `${webUrl}/${encodeURIComponent(login)}`,
      url: `${apiUrl}/users/${encodeURIComponent(login)}`,
    };
  }

  function repositoryFacts({ owner, name, id, isPrivate, archived }: MockRepository): Facts {
    return {
      id,
      name,
      full_name: `${owner}/${name}`,
      owner: user(owner),
      private: isPrivate,
      archived,
      default_branch: "main",
      html_url: `${webUrl}/${owner}/${name}`,
      url: `${apiUrl}/repos/${owner}/${name}`,
      clone_url: `${webUrl}/${owner}/${name}.git`,
    };
  }

  function label(name: string): Facts {
    return { ...example("label"), name, url: `${apiUrl}/labels/${name}`, default: false };
  }

  function pullFacts(like: Facts, repository: MockRepository, pull: MockPull): Facts {
    const { owner, name, folder } = repository;
    const end = (given: unknown, ref: string, sha: string | undefined): Facts => {
      const facts = given as Facts;
      const repo = { ...(facts.repo as Facts), ...repositoryFacts(repository) };
      return { ...facts, ref, label: `${owner}:${ref}`, sha: sha ?? "", user: user(owner), repo };
    };
    const assignees = pull.assignees.map(user);
    const when = pull.state === "open" ? null : "2026-11-30T12:00:00Z";
    const team = (like.requested_teams as Facts[] | undefined)?.[0];
    return {
      ...like,
      number: pull.number,
      html_url: `${webUrl}/${owner}/${name}/pull/${pull.number}`,
      url: `${apiUrl}/repos/${owner}/${name}/pulls/${pull.number}`,
      state: pull.state === "open" ? "open" : "closed",
      merged_at: pull.state === "merged" ? when : null,
      closed_at: when,
      draft: pull.draft,
      title: pull.title,
      body: pull.body,
      base: end(like.base, pull.base, shaOf(folder, pull.base)),
      head: end(like.head, pull.head, pull.endedAtSha ?? shaOf(folder, pull.head)),
      user: user(pull.author),
      labels: pull.labels.map(label),
      assignee: assignees[0] ?? null,
      assignees,
      requested_reviewers: pull.reviewers.map(user),
      requested_teams: pull.teams.map((slug) => ({
        ...team,
        slug,
        name: slug,
        type: "organization",
      })),
    };
  }

  return {
    repository: (repository, mayPush) => ({
      ...example("full-repository-default-response"),
      ...repositoryFacts(repository),
      // The example lacks what its own schema asks for, and it is a fork.
      language: null,
      fork: false,
      source: undefined,
      parent: undefined,
      template_repository: undefined,
      permissions: { admin: false, pull: true, push: mayPush },
    }),
    branch: (name, sha) => {
      const like = example("branch-get");
      return { ...like, name, commit: { ...(like.commit as Facts), sha } };
    },
    pull: (repository, pull) => ({
      ...pullFacts(example("pull-request"), repository, pull),
      merged: pull.state === "merged",
    }),
    pullInList: (repository, pull) =>
      pullFacts(firstOf("pull-request-simple-items"), repository, pull),
    label,
    issue: (pull) => ({
      ...example("issue"),
      number: pull.number,
      title: pull.title,
      labels: pull.labels.map(label),
      assignees: pull.assignees.map(user),
    }),
    review: (login) => ({ ...firstOf("pull-request-review-items"), user: user(login) }),
    event: (event, login) => {
      const { label: _, ...like } = firstOf("issue-event-for-issue-items");
      return { ...like, event, actor: user(login) };
    },
    installation: (id, appId) => ({
      ...example("installation"),
      id,
      app_id: Number(appId) || 1,
    }),
  };
}
