import { readFileSync } from "node:fs";

/** The groups of vitest.workspace.ts; a run of all tests ran at least one of each. */
const groups = ["unit", "integration", "fault", "e2e"];

/**
 * Sums up Vitest's JSON report: how many tests passed and failed, what did not run, and groups without a test.
 *
 * A file that could not be loaded has no failed test in the report, only a failed file: it counts as one failure.
 */
export function readTestReport(path) {
  const files = JSON.parse(readFileSync(path, "utf8")).testResults;
  const tests = files.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, group: groupOf(file.name) })),
  );
  const count = (status) => tests.filter((test) => test.status === status).length;
  const ran = new Set(tests.filter(hasRun).map((test) => test.group));
  const brokenFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(hasFailed),
  );
  return {
    passed: count("passed"),
    failed: count("failed") + brokenFiles.length,
    notRun: tests
      .filter((test) => !hasRun(test))
      .map((test) => `${test.fullName} (${test.status})`),
    emptyGroups: groups.filter((group) => !ran.has(group)),
  };
}

function hasRun(test) {
  return test.status === "passed" || hasFailed(test);
}

function hasFailed(test) {
  return test.status === "failed";
}

function groupOf(file) {
  return groups.find((group) => file.endsWith(`.${group}.test.ts`)) ?? "unit";
}
