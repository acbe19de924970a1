import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { withDockerEngine } from "./docker-engine.mjs";
import { withTestImages } from "./images/test-images.mjs";
import { provision } from "./provision.mjs";
import { readTestReport } from "./read-test-report.mjs";
import { announce, explain, Refusal } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** Cheap first: what fails in a second is not waited for behind a broker's start. */
const checks = [
  ["format and lint", "biome", ["ci", "--error-on-warnings", "."]],
  ["types", "tsc", ["--noEmit", "-p", "tsconfig.json"]],
  ["types of the entry program", "tsc", ["-p", "docker/tsconfig.json"]],
  ["layering", "node", ["scripts/check-layering.mjs"]],
  ["generated docs", "node", ["scripts/generate-docs.mjs", "--check"]],
  ["lockfile", "node", ["scripts/check-lockfile.mjs"]],
  ["unused files and dependencies", "knip", []],
];

/**
 * `npm test`: every check and every test, from a bare clone; stops at the first step that fails and names it.
 *
 * The last line is always `N passed, N failed`, where a step that fails without a failed test counts as one, so that a
 * red build never reads `0 failed`. Arguments go to Vitest (`npm test -- retry`); such a run may leave tests out.
 */
const filter = process.argv.slice(2);
const summary = { passed: 0, failed: 0 };
try {
  await main();
} catch (error) {
  announce(explain(error));
  process.exitCode = error instanceof Refusal ? error.exitCode : 1;
}
if (process.exitCode && summary.failed === 0) summary.failed = 1;
console.log(`${summary.passed} passed, ${summary.failed} failed`);

async function main() {
  await provision([
    ...[
      "git",
      "bash",
      "unshare",
      "openssl",
      "ssh",
      "sshd",
      "gpg",
      "pika",
      "rabbitmq",
      "postgres",
      "pgbouncer",
    ],
    ...["docker", "compose", "debootstrap", "iptables", "iproute"],
  ]);
  const { env } = await bootstrap({ dev: true });
  for (const [name, command, args] of checks) await step(name, command, args, env);
  await withDockerEngine(env, async (engineEnv) => runTests(await withTestImages(engineEnv)));
}

async function step(name, command, args, env) {
  console.log(`\n== ${name}`);
  const local = join(root, "node_modules/.bin", command);
  const code = await runForeground(existsSync(local) ? local : command, args, { cwd: root, env });
  if (code !== 0)
    throw new Refusal(`step failed: ${name} (exit code ${code})`, code > 128 ? code : 1);
}

async function runTests(env) {
  const folder = mkdtempSync(join(tmpdir(), "speckit-report-"));
  const report = join(folder, "report.json");
  const reporters = [
    "--reporter=default",
    "--reporter=scripts/second-try-reporter.mjs",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const args = ["run", "--config", "vitest.workspace.ts", ...reporters, ...filter];
  try {
    await step("tests", "vitest", args, { ...env, SPECKIT_TEST_RETRIES: "1" }).finally(() => {
      if (existsSync(report)) Object.assign(summary, readTestReport(report));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  checkNothingWasSkipped();
}

/** A test that did not run proves nothing: a green build has run them all, in every group. */
function checkNothingWasSkipped() {
  if (filter.length > 0) {
    announce(`filtered run (${filter.join(" ")}): not checked whether tests were skipped`);
    return;
  }
  const { notRun = [], emptyGroups = [] } = summary;
  const problems = [
    ...notRun.map((name) => `did not run: ${name}`),
    ...emptyGroups.map((group) => `no test ran in group ${group}`),
  ];
  if (summary.passed === 0) problems.push("no test report");
  if (problems.length > 0) throw new Refusal(`skipped tests:\n  ${problems.join("\n  ")}`);
}
