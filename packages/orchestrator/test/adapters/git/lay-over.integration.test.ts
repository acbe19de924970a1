import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { remoteRepository, SPEC_KIT_FILES } from "./fixtures/remote-repository.ts";
import { machine, preparedRun, SPECIFY, soon } from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

const over = (path: string) => [{ path, content: "ours\n" }];

test("nothing is laid over a symlink or through one: the repository leads nowhere", async () => {
  const outside = join(temporaryFolder(), "victim");
  writeFileSync(outside, "untouched\n");
  const remote = remoteRepository({
    files: {
      ...SPEC_KIT_FILES,
      "link.yml": { link: outside },
      linked: { link: join(outside, "..") },
    },
  });
  const { git } = machine();
  const run = await preparedRun(git, remote);
  for (const path of ["link.yml", "linked/victim", "src", "src/app.ts/x"]) {
    const attempt = { ...SPECIFY, laidOver: over(path) };
    await git.createAttempt(run, attempt, soon());
    expect(readFileSync(outside, "utf8"), path).toBe("untouched\n");
    expect((await git.harvest(run, attempt, soon())).changed, path).toEqual([]);
  }
});

test("put back to what the tree has it is no change; anything else is one", async () => {
  const { git } = machine();
  const run = await preparedRun(git, remoteRepository());
  const attempt = { ...SPECIFY, laidOver: over("README.md") };
  const { workspace } = await git.createAttempt(run, attempt, soon());
  const file = join(workspace, "README.md");
  expect(readFileSync(file, "utf8")).toBe("ours\n");
  const changed = async () => (await git.harvest(run, attempt, soon())).changed;
  expect(await changed()).toEqual([]);
  writeFileSync(file, "# Project\n");
  expect(await changed()).toEqual([]);
  writeFileSync(file, "# Other\n");
  expect(await changed()).toEqual([{ path: "README.md", kind: "changed" }]);
  rmSync(file);
  expect(await changed()).toEqual([{ path: "README.md", kind: "removed" }]);
});
