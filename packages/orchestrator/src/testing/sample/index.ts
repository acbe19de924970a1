export { type SampleLayout, sampleMonorepoFiles, sampleProjectFiles } from "../sample-project.ts";
export { makeSampleRemote } from "./sample-remote.ts";
