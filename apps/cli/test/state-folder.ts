import { join } from "node:path";
import { eventually, processesWith, tempFolder } from "@speckit/testkit";
import { expect } from "vitest";
import { checkEmbeddedRuns } from "./embedded-runs.ts";

export interface StateFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * A state folder for one test file. At the end every closed run in it is checked, and its database
 * server must have stopped by itself before the folder goes.
 *
 * @param state where the state is inside the folder
 */
export async function stateFolder(name: string, state = "."): Promise<StateFolder> {
  const folder = await tempFolder(name);
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      expect(await checkEmbeddedRuns(join(folder.path, state))).toEqual([]);
      await eventually(
        `no process of ${folder.path} is left`,
        () => processesWith(folder.path),
        (pids) => pids.length === 0,
        { withinMs: 20_000 },
      );
      await folder[Symbol.asyncDispose]();
    },
  };
}
