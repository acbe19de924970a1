import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPhasePath } from "../../../src/domain/publish-policy/is-phase-path.ts";
import { judgeChanges } from "../../../src/domain/publish-policy/judge-changes.ts";
import { leadsOutside } from "../../../src/domain/publish-policy/leads-outside.ts";
import {
  DEFAULT_PUBLISH_LIMITS,
  type PublishPolicy,
} from "../../../src/domain/publish-policy/publish-policy.ts";
import type { CommittedChange } from "../../../src/domain/publish-policy/run-changes.ts";

const FEATURE = "specs/001-login";
const WHERE = { featureDirectory: FEATURE, projectDirectory: "" };

const POLICY: PublishPolicy = {
  ...DEFAULT_PUBLISH_LIMITS,
  allowsWorkflows: false,
  isAllowedPath: (path) => isPhasePath(path, WHERE),
};

const change = (path: string, more: Partial<CommittedChange> = {}): CommittedChange => ({
  commit: "c1",
  path,
  kind: "added",
  entry: "file",
  before: null,
  after: { id: path, bytes: 10 },
  target: null,
  ...more,
});

const COMMITS = [
  { sha: "c1", parents: ["base"], phase: "specify" },
  { sha: "c2", parents: ["c1"], phase: "plan" },
];
const LINE = { baseSha: "base", tipSha: "c2", commits: COMMITS };

const checksOf = (changes: readonly CommittedChange[], policy: Partial<PublishPolicy> = {}) =>
  judgeChanges({ ...LINE, changes }, { ...POLICY, ...policy }).map(
    ({ check, path }) => `${check} ${path}`,
  );

describe("judgeChanges", () => {
  test("what Spec Kit's phases write is pushed", () => {
    const paths = [`${FEATURE}/spec.md`, `${FEATURE}/contracts/api.yaml`, "AGENTS.md"];
    expect(checksOf(paths.map((path) => change(path)))).toEqual([]);
    expect(checksOf([change(".specify/feature.json", { kind: "changed" })])).toEqual([]);
  });

  test.for([
    ["another path", change("src/app.ts"), "publish.path src/app.ts"],
    [
      "a path that only begins alike",
      change(`${FEATURE}-2/a.md`),
      `publish.path ${FEATURE}-2/a.md`,
    ],
    ["a removal elsewhere", change("README.md", { kind: "removed" }), "publish.path README.md"],
    ["a workflow", change(".github/workflows/ci.yml"), "publish.workflow .github/workflows/ci.yml"],
    [
      "a workflow by another case",
      change(".GitHub/Workflows/ci.yml"),
      "publish.workflow .GitHub/Workflows/ci.yml",
    ],
    [
      "a large file",
      change(`${FEATURE}/big.bin`, { after: { id: "big", bytes: 10 * 1024 * 1024 } }),
      `publish.file-size ${FEATURE}/big.bin`,
    ],
    [
      "a symlink out of the tree",
      change(`${FEATURE}/link`, { entry: "symlink", target: "/etc/passwd" }),
      `publish.symlink ${FEATURE}/link`,
    ],
    [
      "a submodule",
      change(`${FEATURE}/sub`, { entry: "submodule", after: null }),
      `publish.kind ${FEATURE}/sub`,
    ],
  ] as const)("%s is refused and named", ([, one, expected]) => {
    expect(checksOf([one])).toEqual([expected]);
  });

  test("too many files, and too much in all, are refused with their numbers", () => {
    const many = Array.from({ length: 201 }, (_, ix) =>
      change(`${FEATURE}/${ix}.md`, { after: { id: `${ix}`, bytes: 100_000 } }),
    );
    expect(judgeChanges({ ...LINE, changes: many }, POLICY)).toEqual([
      { check: "publish.file-count", path: ".", expected: "at most 200 files", found: "201" },
      {
        check: "publish.total-size",
        path: ".",
        expected: "at most 16777216 bytes",
        found: "20100000",
      },
    ]);
  });

  test("a path that a later commit takes back is refused all the same, once", () => {
    const path = "src/app.ts";
    expect(
      checksOf([change(path), change(path, { commit: "c2", kind: "removed", after: null })]),
    ).toEqual([`publish.path ${path}`]);
  });

  test("a deployment's paths and workflows are allowed where it says so", () => {
    const isAllowedPath = (path: string) => path.startsWith(".github/");
    const workflow = [change(".github/workflows/ci.yml")];
    expect(checksOf(workflow, { allowsWorkflows: true })).toEqual([
      "publish.path .github/workflows/ci.yml",
    ]);
    expect(checksOf(workflow, { isAllowedPath })).toEqual([
      "publish.workflow .github/workflows/ci.yml",
    ]);
    expect(checksOf(workflow, { isAllowedPath, allowsWorkflows: true })).toEqual([]);
  });

  test("what the run's own init has added is pushed with it, but for workflows", () => {
    const commits = [{ sha: "c1", parents: ["base"], phase: "prepare" }];
    const paths = [".specify/scripts/bash/common.sh", ".github/workflows/ci.yml"];
    const changes = paths.map((path) => change(path));
    const found = judgeChanges({ baseSha: "base", tipSha: "c1", commits, changes }, POLICY);
    expect(found.map(({ path }) => path)).toEqual([".github/workflows/ci.yml"]);
  });

  test.for([
    ["a commit of somebody else", [{ sha: "c1", parents: ["base"], phase: null }], "c1"],
    ["a merge", [{ sha: "c1", parents: ["base", "x"], phase: "specify" }], "c1"],
    ["another base", [{ sha: "c1", parents: ["old"], phase: "specify" }], "c1"],
    ["a commit without a parent", [{ sha: "c1", parents: [], phase: "specify" }], "c1"],
    ["another tip", [{ sha: "c1", parents: ["base"], phase: "specify" }], "c9"],
  ] as const)("%s in the history is refused", ([, commits, tipSha]) => {
    const [found] = judgeChanges({ baseSha: "base", tipSha, commits, changes: [] }, POLICY);
    expect(found?.check).toBe("publish.history");
  });
});

test("a project in a folder has its agents' files there", () => {
  const where = { featureDirectory: "apps/web/specs/001-a", projectDirectory: "apps/web" };
  expect(isPhasePath("apps/web/specs/001-a/spec.md", where)).toBe(true);
  expect(isPhasePath("apps/web/CLAUDE.md", where)).toBe(true);
  expect(isPhasePath("CLAUDE.md", where)).toBe(false);
  expect(isPhasePath("specs/001-a/spec.md", where)).toBe(false);
});

test("a symlink leads outside when it is absolute or climbs above the root, and no other way", () => {
  for (const target of [
    "/etc/passwd",
    "",
    "\\\\host\\x",
    "C:/x",
    "../../../x",
    "../../..",
    "a/../../../../x",
  ]) {
    expect(leadsOutside(`${FEATURE}/link`, target), target).toBe(true);
  }
  for (const target of ["spec.md", "./a/b", "../../README.md", "../002-b/spec.md", ".."]) {
    expect(leadsOutside(`${FEATURE}/link`, target), target).toBe(false);
  }
  const name = fc.constantFrom("a", "b.md", "..", ".", "");
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 6 }),
      fc.array(name, { minLength: 1, maxLength: 8 }),
      (folders, parts) => {
        const path = [...folders.filter((part) => /^[ab]/.test(part)), "link"].join("/");
        const target = parts.join("/");
        const base = "https://example.org/1/2/3/4/5/6/7/8/9/root/";
        const lands = target.startsWith("/") ? "/" : new URL(target, base + path).pathname;
        if (!leadsOutside(path, target)) {
          expect(`${lands}/`).toMatch(/^\/1\/2\/3\/4\/5\/6\/7\/8\/9\/root\//);
        }
      },
    ),
  );
});
