// Writes what of docs/ comes from code: the tables between `<!-- generated:NAME -->` and
// `<!-- /generated -->`, asyncapi.yaml and openapi.yaml. With --check it only compares, and exits 1 where a file
// is behind. Run under Node 24: it imports the TypeScript sources.
import { join } from "node:path";
import { root } from "./checkout.mjs";
import { asyncapi } from "./docs/asyncapi.mjs";
import { fillBlocks } from "./docs/fill-blocks.mjs";
import { openapi } from "./docs/openapi.mjs";
import { writeOrCheck } from "./docs/write-or-check.mjs";

const folder = join(root, "docs");
const files = [
  ...(await fillBlocks(folder)),
  { name: "asyncapi.yaml", text: asyncapi() },
  { name: "openapi.yaml", text: openapi() },
];
await writeOrCheck(folder, files, {
  check: process.argv.includes("--check"),
  how: "pnpm docs:generate",
});
