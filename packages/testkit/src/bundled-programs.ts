/**
 * The worker, each of its programs in one file: it starts in half the processor time of its hundreds
 * of files, and fault tests kill it hundreds of times. Other programs start from their sources.
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { guardedFolder } from "@speckit/private-broker";

const PROGRAMS: Readonly<Record<string, string>> = {
  "worker.mjs": fileURLToPath(new URL("../../../apps/worker/src/main.ts", import.meta.url)),
  "failpoint-worker.mjs": fileURLToPath(
    new URL("../../../apps/worker/test/failpoint-worker.ts", import.meta.url),
  ),
};
/** Set for the processes of one test run. */
const FOLDER = "SPECKIT_TEST_PROGRAMS";

/** Makes the files, for every process that is started with this one's environment. */
export async function bundlePrograms(): Promise<AsyncDisposable> {
  const { rolldown } = await import("rolldown");
  await using undo = new AsyncDisposableStack();
  const { path: dir } = undo.use(await guardedFolder("speckit-test-programs-"));
  await using bundle = await rolldown({
    input: Object.fromEntries(
      Object.entries(PROGRAMS).map(([file, main]) => [file.replace(/\.mjs$/, ""), main]),
    ),
    platform: "node",
    // Compiled additions that their users do without.
    external: [/\.node$/, "cpu-features", "pg-native"],
    plugins: [whereSourcesAre],
  });
  await bundle.write({ dir, entryFileNames: "[name].mjs", chunkFileNames: "[hash].mjs" });
  process.env[FOLDER] = dir;
  return undo.move();
}

/** The one file of a program, or the program itself where there is none. */
export function bundled(main: string): string {
  const folder = process.env[FOLDER];
  const [file] = Object.entries(PROGRAMS).find(([, source]) => source === resolve(main)) ?? [];
  return folder === undefined || file === undefined ? main : join(folder, file);
}

/** Files are looked for beside the sources: migrations, the scripted agent, what libraries bring. */
const whereSourcesAre = {
  name: "where-sources-are",
  transform: (code: string, id: string) => ({
    code: code
      .replace(/\bimport\.meta\.url\b/g, () => JSON.stringify(pathToFileURL(id).href))
      .replace(/(?<!(?:const|let|var) )\b__dirname\b/g, () => JSON.stringify(dirname(id)))
      .replace(/(?<!(?:const|let|var) )\b__filename\b/g, () => JSON.stringify(id)),
  }),
};
