import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { statement } from "../src/database-statement.ts";
import { eventually } from "../src/eventually.ts";
import { startPrivatePostgres } from "../src/private-postgres.ts";

/** Reads /proc, because a dead process may wait long for its parent's attention. */
function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}

describe("a private PostgreSQL", () => {
  test("answers, and is gone after its end", async () => {
    const server = await startPrivatePostgres();
    await statement(server.url, "SELECT 1");
    expect(isAlive(server.pid)).toBe(true);
    await server[Symbol.asyncDispose]();
    expect(isAlive(server.pid)).toBe(false);
  });

  test("does not outlive a process that is killed with SIGKILL", async () => {
    const owner = spawn(
      process.execPath,
      [fileURLToPath(new URL("postgres-owner.ts", import.meta.url))],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = await once(createInterface(owner.stdout), "line");
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    owner.kill("SIGKILL");
    await eventually("the server is gone", () => !isAlive(pid));
  });
});
