import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { sshCommand } from "../../../src/adapters/git/ssh-command.ts";
import { isSshPath } from "../../../src/domain/ssh-path.ts";

/** The words a shell makes of a line. */
const wordsOf = (line: string) =>
  execFileSync("sh", ["-c", `printf '%s\\n' ${line}`], { encoding: "utf8" })
    .trimEnd()
    .split("\n");

test("without a key and known hosts of its own, ssh has its user's", () => {
  const words = wordsOf(sshCommand({}));
  expect(words.slice(0, 3)).toEqual(["ssh", "-o", "BatchMode=yes"]);
  expect(words).toContain("StrictHostKeyChecking=yes");
  expect(words.join(" ")).not.toMatch(/Identit|KnownHosts/);
});

test("a path reaches ssh as it is, whatever the shell or ssh would make of it", () => {
  const path = "/a b/it's $HOME;`id` %h";
  const words = wordsOf(sshCommand({ keyFile: path, knownHostsFile: path }));
  expect(words).toContain(`IdentityFile="${path.replace("%", "%%")}"`);
  expect(words).toContain("IdentitiesOnly=yes");
  expect(words).toContain(`UserKnownHostsFile="${path.replace("%", "%%")}"`);
  expect(words).toContain("GlobalKnownHostsFile=/dev/null");
});

test.each([
  ["/keys/deploy", true],
  ["/it's a %h", true],
  ["relative", false],
  ["~/key", false],
  ['/a"b', false],
  ["/a\\b", false],
  ["/a\nb", false],
  ["/$" + "{HOME}/key", false],
])("%j is a path ssh can be given: %s", (path, expected) => {
  expect(isSshPath(path)).toBe(expected);
});
