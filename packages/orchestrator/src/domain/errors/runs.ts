import type { ErrorCodeFacts } from "./error-code-facts.ts";

/** Of a run's way: its time, its people, its owners. */
export const RUN_CODES = {
  PHASE_DEADLINE_EXCEEDED: {
    class: "timeout",
    meaning: "A phase ran longer than its deadline.",
    remedy: "Raise SPECKIT_PHASE_DEADLINE_MS, or ask for less in one run.",
  },
  RUN_DEADLINE_EXCEEDED: {
    class: "permanent",
    meaning: "The run used up its working time.",
    remedy: "Raise limits.deadlineMs or SPECKIT_RUN_DEADLINE_MS, or ask for less in one run.",
  },
  TOO_MANY_STARTS: {
    class: "permanent",
    meaning: "A phase was started 20 times without an end.",
    remedy: "Look for what ends the workers: their logs, memory and restarts.",
  },
  DISK_FULL: {
    class: "transient",
    meaning: "There is no space left for workspaces or artifacts.",
    remedy: "Free space in the state folder (SPECKIT_HOME).",
  },
  SUPERVISOR_CRASHED: {
    class: "transient",
    meaning: "Worker after worker died while it looked after this attempt.",
    remedy:
      "It is retried a few times; look into the workers' logs for what ends them, the agent's output first.",
  },
  CONTAINER_LOST: {
    class: "host_lost",
    meaning: "The container of an attempt is no more, or was stopped with its engine.",
    remedy: "Nothing to do: the phase starts again, and no budget is spent.",
  },
  ENGINE_LOST: {
    class: "host_lost",
    meaning:
      "The engine that has the container of an attempt was not heard of for 90 s: the run is moved.",
    remedy:
      "Nothing to do: the phase starts again after a fence, from the last good phase, and no budget is spent.",
  },
  QUESTIONS_OPEN: {
    class: "needs_input",
    meaning: "The specification has open questions, and the request asks to pause on them.",
    remedy: "Answer them: `speckit answer <run> <answer> …`, one answer for each question.",
  },
  QUESTIONS_UNANSWERED: {
    class: "permanent",
    meaning: "Nobody has answered the open questions in time.",
    remedy: "Retry the run to be asked again, or submit it with `onQuestions` set to `assume`.",
  },
  APPROVAL_REJECTED: {
    class: "needs_input",
    meaning: "A person has rejected a phase's result, which the request asks to pause after.",
    remedy: "Nothing to do: the phase starts again with the comment in its prompt.",
  },
  APPROVAL_MISSING: {
    class: "permanent",
    meaning: "Nobody has approved or rejected a phase's result in time.",
    remedy: "Retry the run to have the phase done again, or submit it without `pauseAfter`.",
  },
  WORKER_REPLACED: {
    class: "interrupted",
    meaning: "The worker stopped or was replaced while the phase ran.",
    remedy: "Nothing to do: the phase starts again on another worker.",
  },
  RUN_CANCELLED: {
    class: "permanent",
    meaning: "The run was cancelled.",
    remedy: "Submit it again if it is still wanted.",
  },
  RUN_FENCED: {
    class: "fenced",
    meaning: "Another worker owns the run now; this one writes nothing more.",
    remedy: "Nothing to do.",
  },
} as const satisfies Record<string, ErrorCodeFacts>;
