import { describeArtifactStore } from "../../src/testing/artifact-store-contract.ts";
import { memoryArtifactStore } from "../../src/testing/memory/index.ts";

describeArtifactStore("memory", async () => ({
  artifacts: memoryArtifactStore(),
  [Symbol.asyncDispose]: async () => {},
}));
