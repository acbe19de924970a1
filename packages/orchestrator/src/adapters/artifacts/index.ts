export { type FileArtifactStoreOptions, fileArtifactStore } from "./file-artifact-store.ts";
