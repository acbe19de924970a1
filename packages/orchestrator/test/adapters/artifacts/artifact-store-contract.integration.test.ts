import { join } from "node:path";
import { tempFolder } from "@speckit/testkit";
import { fileArtifactStore } from "../../../src/adapters/artifacts/index.ts";
import { describeArtifactStore } from "../../../src/testing/artifact-store-contract.ts";

describeArtifactStore("files", async () => {
  const folder = await tempFolder("artifacts");
  return {
    artifacts: fileArtifactStore({ folder: join(folder.path, "artifacts") }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});
