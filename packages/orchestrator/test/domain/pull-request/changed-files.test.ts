import { expect, test } from "vitest";
import { changedFiles } from "../../../src/domain/pull-request/changed-files.ts";

test("each path is told once, by what all commits together do to it", () => {
  const changes = [
    { path: "b", kind: "added" },
    { path: "a", kind: "changed" },
    { path: "gone", kind: "removed" },
    { path: "passing", kind: "added" },
    { path: "back", kind: "removed" },
    { path: "b", kind: "changed" },
    { path: "passing", kind: "removed" },
    { path: "back", kind: "added" },
    { path: "a", kind: "removed" },
  ] as const;
  expect(changedFiles(changes)).toEqual([
    { path: "a", kind: "removed" },
    { path: "b", kind: "added" },
    { path: "back", kind: "changed" },
    { path: "gone", kind: "removed" },
  ]);
});
