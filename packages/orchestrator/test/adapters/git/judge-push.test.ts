import { expect, test } from "vitest";
import { judgePush } from "../../../src/adapters/git/judge-push.ts";

const UNABLE = "error: remote unpack failed: unable to create temporary object directory\n";
const LOCKED =
  "remote: error: cannot lock ref 'refs/heads/q': Unable to create '/r.git/./refs/heads/q.lock': File exists.\n";
const IN_THE_WAY =
  "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'\n";
const MOVED = "remote: error: cannot lock ref 'refs/heads/b': is at 11 but expected 22\n";

test.each([
  ["[rejected] (stale info)", "", "diverged"],
  ["[rejected] (fetch first)", "", "diverged"],
  ["[rejected] (non-fast-forward)", "", "diverged"],
  ["[remote rejected] (non-fast-forward)", "", "diverged"],
  ["[remote rejected] (incorrect old value provided)", "", "diverged"],
  ["[remote rejected] (failed to update ref)", MOVED, "diverged"],
  ["[remote rejected] (pre-receive hook declined)", "remote: 503 try again\n", "refused"],
  ["[remote rejected] (protected branch hook declined)", "", "refused"],
  ["[remote rejected] (branch is currently checked out)", "", "refused"],
  ["[remote rejected] (permission denied)", "", "refused"],
  [
    "[remote rejected] (refusing to allow a GitHub App to create or update workflow)",
    "",
    "refused",
  ],
  ["[remote rejected] (failed to update ref)", IN_THE_WAY, "refused"],
  ["[remote rejected] (unpacker error)", UNABLE, "refused"],
  [
    "[remote rejected] (unpacker error)",
    "error: remote unpack failed: unpack-objects abnormal exit\n",
    "remote_trouble",
  ],
  ["[remote rejected] (failed to update ref)", LOCKED, "remote_trouble"],
  ["[remote failure] (remote failed to report status)", "", "remote_trouble"],
])("%s", (summary, stderr, verdict) => {
  const porcelain = `To https://host/x.git\n!\t${"a".repeat(40)}:refs/heads/b\t${summary}\nDone\n`;
  expect(judgePush(porcelain, stderr)).toBe(verdict);
});

test("no line about the branch is left to the failure table", () => {
  expect(judgePush("", "fatal: the remote end hung up unexpectedly\n")).toBe("unknown");
});
