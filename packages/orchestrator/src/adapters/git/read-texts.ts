import { SpeckitError } from "../../domain/speckit-error.ts";
import { TEXT_MAX_BYTES } from "./base-files.ts";
import type { GitContext } from "./context.ts";
import type { OpenFolder } from "./open-beneath.ts";
import { readBlobs } from "./read-blobs.ts";
import { readSmallFile } from "./read-small-file.ts";
import { pathBytes, pathOf, type TreeEntry, type TreePath } from "./tree-entries.ts";

/** All texts of one harvest together. */
const TEXTS_MAX_BYTES = 64 * 1024 * 1024;

/**
 * The texts postconditions look at, by path: files of the feature directory and Spec Kit's
 * templates, as they stand in the harvested tree, and its `feature.json`, which stands in no tree.
 * Files over 1 MiB are not texts.
 */
export async function readTexts(
  context: GitContext,
  about: {
    readonly gitDir: string;
    readonly root: OpenFolder;
    readonly tree: ReadonlyMap<TreePath, TreeEntry>;
    readonly featureDirectory: string;
    /** Folder of Spec Kit's templates, with a slash at its end. */
    readonly templates: string;
    readonly featureJson: string;
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const feature = pathOf(`${about.featureDirectory}/`);
  const templates = pathOf(about.templates);
  const wanted = [...about.tree].filter(
    ([path, { mode, bytes }]) =>
      (path.startsWith(feature) || path.startsWith(templates)) &&
      mode.startsWith("100") &&
      bytes <= TEXT_MAX_BYTES,
  );
  const total = wanted.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  if (total > TEXTS_MAX_BYTES) {
    throw new SpeckitError(
      "WORKSPACE_TOO_LARGE",
      `${about.featureDirectory} has ${total} bytes of text, expected at most ${TEXTS_MAX_BYTES}`,
    );
  }
  const texts = new Map<string, string>();
  const put = (path: TreePath, content: Buffer) => {
    texts.set(pathBytes(path).toString("utf8"), content.toString("utf8"));
  };
  const featureJson = pathOf(about.featureJson);
  const json = await readSmallFile(about.root, featureJson, TEXT_MAX_BYTES);
  if (json !== undefined) {
    put(featureJson, json);
  }
  const blobs = wanted.map(([, { oid, bytes }]) => ({ id: oid, bytes }));
  const contents = await readBlobs(context, about.gitDir, blobs, signal);
  for (const [path, { oid }] of wanted) {
    put(path, Buffer.from(contents.get(oid) ?? []));
  }
  return texts;
}
