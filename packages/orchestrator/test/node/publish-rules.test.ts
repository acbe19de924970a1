import { expect, test } from "vitest";
import { publishPattern, publishRules } from "../../src/node/publish-rules.ts";
import { readEnvironment } from "../../src/node/read-environment.ts";

test("patterns are paths from the root; a star stops at a slash, and both match hidden names", () => {
  const { isAllowedPath } = publishRules({ paths: ["src/**", "docs/*.md", ".github/**"] });
  const allowed = ["src/a.ts", "src/a/b.ts", "src/.env", "docs/a.md", ".github/workflows/ci.yml"];
  expect(allowed.filter((path) => isAllowedPath?.(path))).toEqual(allowed);
  const others = ["a.ts", "lib/src/a.ts", "docs/a/b.md", "docs/a.ts", "srcs/a.ts"];
  expect(others.filter((path) => isAllowedPath?.(path))).toEqual([]);
  expect(publishRules({}).isAllowedPath?.("src/a.ts")).toBe(false);
});

test("a pattern that is absolute, negated or leaves the root is none", () => {
  for (const text of ["/src/**", "!src/**", "../**", "src/../../x", "src\\x", ""]) {
    expect(publishPattern.safeParse(text).success, text).toBe(false);
  }
});

test("the environment's rules are the policy's", () => {
  const { publish } = readEnvironment({
    SPECKIT_PUBLISH_PATHS: "src/**, docs/*.md",
    SPECKIT_PUBLISH_WORKFLOWS: "on",
    SPECKIT_PUBLISH_MAX_FILES: "10",
    SPECKIT_PUBLISH_MAX_FILE_BYTES: "2000",
  });
  expect(publish).toEqual({
    paths: ["src/**", "docs/*.md"],
    workflows: true,
    maxFiles: 10,
    maxFileBytes: 2_000,
  });
  expect(publishRules(publish ?? {})).toMatchObject({ allowsWorkflows: true, maxFiles: 10 });
  expect(() => readEnvironment({ SPECKIT_PUBLISH_WORKFLOWS: "true" })).toThrow(
    "SPECKIT_PUBLISH_WORKFLOWS: expected on or off",
  );
});
