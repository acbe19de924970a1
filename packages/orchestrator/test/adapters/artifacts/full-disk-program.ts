/** Fills a small disk with an artifact and tells what came of it. Argument: the state folder. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileArtifactStore } from "../../../src/adapters/artifacts/index.ts";

const [stateDir = ""] = process.argv.slice(2);
const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
await store.put("run", "small", "fits");
const code = await store.put("run", "large", Buffer.alloc(1024 * 1024, "x")).then(
  () => "stored",
  (error: { readonly code: string }) => error.code,
);
const left = await readdir(join(stateDir, "artifacts", "run"));
let small = "";
for await (const piece of store.read("run", "small")) {
  small += Buffer.from(piece).toString();
}
process.stdout.write(JSON.stringify({ code, left, small }));
