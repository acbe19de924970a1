import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { eventually, testDatabase } from "@speckit/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ServedGateway } from "../../../src/adapters/gateway/index.ts";
import { attemptFolder } from "../../../src/domain/attempt-folder.ts";
import { openServedBench, REAL_TIMES, type ServedBench } from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
let bench: ServedBench;
let gateway: ServedGateway | undefined;
beforeAll(async () => {
  bench = await openServedBench(database.url);
});
afterEach(() => gateway?.[Symbol.asyncDispose]());
afterAll(() => bench?.[Symbol.asyncDispose]());

async function serve(neverLiveMs?: number): Promise<void> {
  // A busy process must not be taken for a store that is away: only the question comes often.
  const times = { ...REAL_TIMES, recheckMs: 200 };
  gateway = await bench.serve({ ...times, ...(neverLiveMs === undefined ? {} : { neverLiveMs }) });
}

const jobs = () => join(dirname(bench.socketPath), "jobs");
const isLive = async (token: string, through: string) =>
  (await bench.ask("/speckit/v1/attempt", token, { through })).status;

test("an attempt that is over loses its socket and its folder, and nobody else does", async () => {
  await serve();
  const [over, other] = [await bench.attempt(), await bench.attempt()];
  const [overDoor, otherDoor] = [await bench.doorOf(over), await bench.doorOf(other)];
  const made = join(jobs(), attemptFolder({ ...other, attempt: 2 }));
  await mkdir(made);
  await mkdir(join(jobs(), "not-an-attempt"));
  expect(await isLive(over.start, overDoor)).toBe(204);
  await bench.attempts.closeAttempt(over);
  await eventually("its folder is gone", () => !existsSync(dirname(overDoor)));
  await expect(isLive(over.start, overDoor)).rejects.toThrow();
  expect(await isLive(other.start, otherDoor)).toBe(204);
  // One is being prepared: its attempt has no container yet.
  expect(existsSync(made)).toBe(true);
  expect(existsSync(join(jobs(), "not-an-attempt"))).toBe(true);
});

test("a gateway that starts again listens where one was killed, and removes what was left of ended attempts", async () => {
  const [going, over] = [await bench.attempt(), await bench.attempt()];
  await bench.attempts.closeAttempt(over);
  const folders = [going, over].map((attempt) => join(jobs(), attemptFolder(attempt)));
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    await leaveSocket(join(folder, "gateway.sock"));
  }
  await serve(1);
  const door = join(folders[0]!, "gateway.sock");
  expect(await isLive(going.start, door)).toBe(204);
  await eventually("what was left is gone", () => !existsSync(folders[1]!));
  expect(await isLive(going.start, door)).toBe(204);
});

/** As a process that was killed leaves it. */
async function leaveSocket(path: string): Promise<void> {
  const program = `require("node:net").createServer().listen(process.argv[1], () => console.log("listens"))`;
  const listener = spawn(process.execPath, ["-e", program, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(listener.stdout, "data");
  listener.kill("SIGKILL");
  await once(listener, "exit");
  expect(lstatSync(path).isSocket()).toBe(true);
}
