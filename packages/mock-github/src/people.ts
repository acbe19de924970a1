import { commitTo, deleteBranch, setBranch, shaOf } from "./branches.ts";
import type { MockGitHub } from "./mock-github.ts";
import type { MockPull, MockRepository } from "./state.ts";

export function peopleOf(repository: (fullName: string) => MockRepository): MockGitHub["people"] {
  function pull(fullName: string, number: number): MockPull {
    const found = repository(fullName).pulls.find((one) => one.number === number);
    if (found === undefined) {
      throw new Error(`${fullName} has no pull request #${number}`);
    }
    return found;
  }
  function end(fullName: string, number: number, state: "closed" | "merged"): void {
    const one = pull(fullName, number);
    one.endedAtSha = shaOf(repository(fullName).folder, one.head);
    one.state = state;
  }
  return {
    commit: (fullName, branch) => commitTo(repository(fullName).folder, branch),
    deleteBranch: (fullName, branch) => deleteBranch(repository(fullName).folder, branch),
    close: (fullName, number) => end(fullName, number, "closed"),
    merge(fullName, number) {
      end(fullName, number, "merged");
      const { base, endedAtSha = "" } = pull(fullName, number);
      setBranch(repository(fullName).folder, base, endedAtSha);
    },
    markReady(fullName, number) {
      const one = pull(fullName, number);
      one.draft = false;
      one.events.push({ event: "ready_for_review", login: "ada" });
    },
    edit: (fullName, number, to) => Object.assign(pull(fullName, number), to),
    review(fullName, number, login) {
      const one = pull(fullName, number);
      one.reviews.push({ login });
      one.reviewers.splice(0, one.reviewers.length, ...one.reviewers.filter((r) => r !== login));
    },
  };
}
