import { createHash } from "node:crypto";
import type { GitWorkspace, Harvest } from "@speckit/orchestrator";
import { documentText } from "./document-text.ts";

const BASE_SHA = "b".repeat(40);
/** As little as is a Spec Kit project. */
const PATHS = [
  ...["specify", "plan", "tasks"].map((phase) => `.agents/skills/speckit-${phase}/SKILL.md`),
  ".specify/memory/constitution.md",
];
/** The size of a small bundle: it is written to the database with each agent phase's result. */
const CHECKPOINT = new Uint8Array(1_024);

/**
 * A git that touches no file and starts no process: it answers at once with what the use cases need
 * to go on. Every agent phase "changes" the tree, so that each of them stores a checkpoint and the
 * run ends as succeeded, as a real one does.
 */
export function noopGit(): GitWorkspace {
  return {
    fetchBase: async () => ({ baseBranch: "main", baseSha: BASE_SHA, branchOldSha: null }),
    baseFiles: async () => ({
      listPaths: async () => PATHS,
      read: async () => "Instructions of a phase.\n",
    }),
    tipFiles: async () => ({
      listPaths: async () => PATHS,
      read: async () => "Instructions of a phase.\n",
    }),
    createAttempt: async () => ({ workspace: "/nonexistent", home: "/nonexistent" }),
    attemptFolders: () => ({ workspace: "/nonexistent", home: "/nonexistent" }),
    harvest: async (run, { phase, attempt, featureDirectory }): Promise<Harvest> => ({
      featureDirectory,
      read: (path) => documentText(path, featureDirectory),
      changed: [],
      head: { branch: run.branch, sha: run.tipSha },
      commit: async () => ({
        tipSha: shaOf(`${run.tipSha} ${phase} ${attempt}`),
        checkpoint: CHECKPOINT,
        patch: "",
      }),
    }),
    diff: async () => ({ stat: { files: 1, insertions: 1, deletions: 0 }, patch: "" }),
    changes: async ({ baseSha, tipSha }) => ({
      commits: [{ sha: tipSha, parents: [baseSha], phase: "tasks" }],
      changes: [],
      read: async () => new Map(),
    }),
    push: async () => {},
    removeAttempt: async () => {},
    runsHere: async () => [],
    removeRun: async () => {},
  };
}

function shaOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
