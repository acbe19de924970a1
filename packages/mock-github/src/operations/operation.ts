import type { MockAnswer } from "../answer.ts";
import type { Answers } from "../answers.ts";
import type { Needs } from "../grants.ts";
import type { MockGrant, MockPull, MockRepository, MockState } from "../state.ts";

/** One call, with everything that was checked before it is carried out. */
export interface RepositoryCall {
  readonly state: MockState;
  readonly answers: Answers;
  readonly repository: MockRepository;
  readonly grant: MockGrant | undefined;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RepositoryOperation {
  readonly needs: Needs;
  readonly carryOut: (call: RepositoryCall) => MockAnswer;
}

/** The pull request that a path names. */
export function pullOf({ repository, path }: RepositoryCall): MockPull | undefined {
  const number = Number(path.pull_number ?? path.issue_number);
  return repository.pulls.find((pull) => pull.number === number);
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
