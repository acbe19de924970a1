import type { Explanation } from "../../contract/explanation.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { whyNotPublishable } from "../publish-run.ts";
import { waitOf } from "../wait-of.ts";
import { questionsOf } from "./headline-of.ts";
import type { RunFacts } from "./run-facts.ts";

type Advice = Explanation["advice"];

/** What people can do about a run where it is now, most helpful first. */
export function adviceOf(facts: RunFacts): Advice {
  const { run, attempts, around } = facts;
  const { runId } = run;
  if (run.outcome !== null) {
    return afterEnd(facts);
  }
  const follow = { text: "See what its agent does:", command: `npx speckit logs -f ${runId}` };
  const cancel = { text: "Or end it:", command: `npx speckit cancel ${runId}` };
  if (run.hasLiveLease) {
    return [follow];
  }
  const here = { text: "Or carry it here:", command: `npx speckit resume ${runId}` };
  const start = { text: "Start a worker:", command: "npx speckit worker" };
  if (run.cancelRequested) {
    return around.workersSeen === 0 ? [start, here] : [];
  }
  const wait = waitOf(run, attempts);
  switch (wait) {
    case "input":
      return [
        {
          text: "Answer each question by a text or the letter of an option; - leaves it to the agent:",
          command: `npx speckit answer ${runId} ${questionsOf(facts)
            .map((_, ix) => `"<answer ${ix + 1}>"`)
            .join(" ")}`,
        },
        cancel,
      ];
    case "approval":
      return [
        { text: "Approve the result:", command: `npx speckit approve ${runId}` },
        {
          text: "Or say what is to be done otherwise:",
          command: `npx speckit reject ${runId} --comment "<what is to be done otherwise>"`,
        },
      ];
    case "worker":
      return around.workersSeen === 0
        ? [start, here]
        : [{ text: "Nothing: a worker takes it as soon as it has room." }];
    case "retry":
    case "pull_request":
      return [
        ...remedyOfLast(facts),
        {
          text: "It goes on by itself. To have it tried now:",
          command: `npx speckit resume ${runId}`,
        },
      ];
    case "credential":
      return [
        { text: "It goes on by itself when the limit is over." },
        ...remedyOfLast(facts),
        cancel,
      ];
    case "fence":
      return [{ text: "It goes on by itself." }];
    case undefined:
      return [];
    default:
      return assertNever(wait);
  }
}

/** What is known to help against the failure it waits after. */
function remedyOfLast({ attempts }: RunFacts): Advice {
  const remedy = attempts.findLast(({ failure }) => failure !== null)?.failure?.remedy;
  return remedy === undefined ? [] : [{ text: remedy }];
}

function afterEnd({ run }: RunFacts): Advice {
  const { runId, outcome, failure } = run;
  const retry =
    outcome === "failed" || outcome === "cancelled"
      ? [
          {
            text: "Go on from the last good phase, as a new run:",
            command: `npx speckit retry ${runId}`,
          },
        ]
      : [];
  const publish =
    whyNotPublishable(run) === undefined
      ? [
          {
            text: "Publish what it has made, without another call of an agent:",
            command: `npx speckit publish ${runId}`,
          },
        ]
      : [];
  return [...(failure === null ? [] : [{ text: failure.remedy }]), ...retry, ...publish];
}
