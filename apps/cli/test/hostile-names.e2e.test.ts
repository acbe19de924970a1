import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let speckit: Cli;
let marker: string;

beforeAll(async () => {
  folder = await stateFolder("cli-hostile-names");
  speckit = cli(folder.path);
  marker = join(folder.path, "executed");
});

afterAll(() => folder[Symbol.asyncDispose]());

/** An argument cannot hold a NUL: the system itself refuses to start a program with one. */
const hostileNames = () => [
  `--upload-pack=touch ${marker}`,
  `$(touch ${marker})`,
  `;touch ${marker}`,
  `\`touch ${marker}\``,
  "../../etc/passwd",
  "a..b",
  "@{-1}",
  "x.lock",
  "a\nb",
  "m\u0430in",
  "a\u202eb",
  "con",
  "x".repeat(300),
];

test("F38: hostile names as arguments are refused by name, run nothing and store nothing", async () => {
  const options = ["--branch", "--base-branch", "--feature-directory", "--agent", "--run-id"];
  const names = hostileNames();
  const calls = [
    ...names.map((name, ix) => [
      `${options[ix % options.length]}=${name}`,
      "acme/shop",
      "Add a page",
    ]),
    // A path is a repository here, as good as any other until somebody looks.
    ...names.filter((name) => !name.startsWith("../")).map((name) => ["--", name, "Add a page"]),
  ];
  const refusals: unknown[] = [];
  // A few at once: each is a program of its own.
  for (let at = 0; at < calls.length; at += 4) {
    await Promise.all(
      calls.slice(at, at + 4).map(async (args) => {
        const done = await speckit.run(["submit", "--json", ...args]);
        const { failure } = JSON.parse(done.stdout);
        const isPlain = !/(?!\n)[\p{Cc}\p{Cf}]/u.test(done.stdout + done.stderr);
        if (done.exitCode !== 2 || failure.class !== "bad_message" || !isPlain) {
          refusals.push({ args, ...done });
        }
      }),
    );
  }
  expect(refusals).toEqual([]);
  expect(existsSync(marker)).toBe(false);
  expect(await readdir(folder.path)).not.toContain("executed");
  expect(JSON.parse((await speckit.run(["list", "--json"])).stdout)).toEqual([]);
}, 180_000);
