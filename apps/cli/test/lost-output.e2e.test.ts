import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, SPECKIT } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let remote: string;

beforeAll(async () => {
  folder = await stateFolder("cli-lost-output");
  remote = await makeSampleRemote(folder.path);
});

afterAll(() => folder[Symbol.asyncDispose]());

function start(args: readonly string[], stdout: "pipe" | number) {
  return spawn(process.execPath, [SPECKIT, ...args], {
    cwd: folder.path,
    env: {
      PATH: process.env.PATH,
      SPECKIT_HOME: folder.path,
      SPECKIT_DATABASE_IDLE_STOP_MS: "1000",
    },
    stdio: ["ignore", stdout, "pipe"],
  });
}

const statusOfLastRun = async (): Promise<string> => {
  const list = await cli(folder.path).run(["list", "--limit", "1", "--json"]);
  return JSON.parse(list.stdout)[0].status;
};

test.each([
  ["stdout", "", ["Add a page for head"]],
  ["stderr", "with --json", ["Add a page for jq", "--json"]],
] as const)("a run goes on when the reader of its %s has gone %s", async (name, _how, args) => {
  const running = start(["run", remote, ...args, "--agent", "scripted"], "pipe");
  const ended = once(running, "exit");
  const stream = running[name];
  stream?.once("data", () => stream.destroy());
  const other = name === "stdout" ? running.stderr : running.stdout;
  const [told, [exitCode]] = await Promise.all([other === null ? "" : text(other), ended]);
  expect(exitCode, told).toBe(0);
  expect(await statusOfLastRun()).toBe("succeeded");
});

test("a run goes on when its output cannot be written, and says so once", async () => {
  await using full = await open("/dev/full", "w");
  const running = start(["run", remote, "Add a page for a disk", "--agent", "scripted"], full.fd);
  const ended = once(running, "exit");
  const told = running.stderr === null ? "" : await text(running.stderr);
  expect((await ended)[0], told).toBe(0);
  expect(told).toMatch(/^speckit: stdout cannot be written: ENOSPC.*\n$/);
  expect(await statusOfLastRun()).toBe("succeeded");
});

test("a list that cannot be written exits with 75, and with 0 when nobody reads it", async () => {
  await using full = await open("/dev/full", "w");
  const unwritten = start(["list"], full.fd);
  expect(await once(unwritten, "exit")).toEqual([75, null]);
  const unread = start(["list"], "pipe");
  unread.stdout?.destroy();
  expect(await once(unread, "exit")).toEqual([0, null]);
});
