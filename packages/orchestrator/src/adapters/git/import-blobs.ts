import { createHash } from "node:crypto";
import { secretMasker } from "../../domain/secret-forms.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { SecretFinder } from "../supervision/secret-finder.ts";
import type { Change } from "./compare-tree.ts";
import type { GitContext } from "./context.ts";
import type { ObjectFormat } from "./folders.ts";
import { blobId, pieces } from "./hash-file.ts";
import { inParentOf, type OpenFolder, openFileIn } from "./open-beneath.ts";
import {
  pathBytes,
  SYMLINK_MODE,
  shownPath,
  type TreeEntry,
  type TreePath,
} from "./tree-entries.ts";
import { isUnreadable } from "./walk-workspace.ts";

type Taken = Exclude<Change, { kind: "removed" }>;

/**
 * Reads changed files once and streams their bytes into the run's repository. The ids are computed
 * from the same bytes, so what is committed later is what was read here, whatever happens to the
 * workspace in between.
 *
 * @throws SpeckitError `WORKSPACE_REFUSED` for a file that may not be read, `SECRET_IN_TREE`,
 * `WORKSPACE_TOO_LARGE`
 */
export async function importBlobs(
  context: GitContext,
  about: {
    readonly gitDir: string;
    readonly root: OpenFolder;
    readonly format: ObjectFormat;
    readonly changes: readonly Taken[];
    /** What nothing of it may hold. */
    readonly secrets: readonly string[];
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<TreePath, TreeEntry>> {
  const taken = new Map<TreePath, TreeEntry>();
  let failure: unknown;
  async function* commands(): AsyncGenerator<Uint8Array> {
    try {
      for (const change of about.changes) {
        yield* blob(change);
      }
      yield Buffer.from("done\n");
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  async function* blob({ path, entry }: Taken): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted();
    const finder = new SecretFinder(about.secrets);
    if (finder.isIn(pathBytes(path))) {
      throw secretIn(path, about.secrets);
    }
    if (entry.kind === "symlink") {
      if (finder.isIn(entry.target)) {
        throw secretIn(path, about.secrets);
      }
      taken.set(path, {
        mode: SYMLINK_MODE,
        oid: blobId(about.format, entry.target),
        bytes: entry.target.length,
      });
      yield Buffer.concat([header(entry.target.length), entry.target, Buffer.from("\n")]);
    } else if (entry.kind === "file") {
      const mode = entry.isExecutable ? "100755" : "100644";
      const hash = createHash(about.format).update(`blob ${entry.bytes}\0`);
      yield header(entry.bytes);
      let left = entry.bytes;
      for await (const piece of contentOf(about.root, path, entry.bytes)) {
        left -= piece.length;
        if (left < 0) {
          break;
        }
        if (finder.isIn(piece)) {
          throw secretIn(path, about.secrets);
        }
        hash.update(piece);
        yield piece;
      }
      if (left !== 0) {
        throw changedMeanwhile(path);
      }
      yield Buffer.from("\n");
      taken.set(path, { mode, oid: hash.digest("hex"), bytes: entry.bytes });
    }
  }
  if (about.changes.length > 0) {
    try {
      await context.git(
        { args: ["fast-import", "--quiet", "--done"], gitDir: about.gitDir, input: commands() },
        signal,
      );
    } catch (error) {
      throw failure ?? error;
    }
  }
  return taken;
}

function header(bytes: number): Buffer {
  return Buffer.from(`blob\ndata ${bytes}\n`);
}

async function* contentOf(root: OpenFolder, path: TreePath, bytes: number): AsyncGenerator<Buffer> {
  const file = await inParentOf(root, path, openFileIn).catch((error: unknown) => {
    throw isUnreadable(error) ? unreadable(path) : error;
  });
  try {
    yield* pieces(file, bytes);
  } finally {
    await file.close();
  }
}

function unreadable(path: TreePath): SpeckitError {
  return new SpeckitError("WORKSPACE_REFUSED", "A file of the workspace may not be read", {
    findings: [
      {
        check: "workspace.kind",
        path: shownPath(path),
        expected: "a file its owner may read",
        found: "no permission to read it",
      },
    ],
  });
}

/** A path may hold it too. */
function secretIn(path: TreePath, secrets: readonly string[]): SpeckitError {
  const shown = secretMasker(secrets)(shownPath(path));
  return new SpeckitError("SECRET_IN_TREE", `${shown} holds a secret of the agent's environment`, {
    findings: [
      {
        check: "workspace.secret",
        path: shown,
        expected: "nothing of the secrets in your environment",
        found: "one of them",
      },
    ],
  });
}

/** Something still writes to the workspace: another try finds it at rest. */
export function changedMeanwhile(path: TreePath): SpeckitError {
  return new SpeckitError(
    "GIT_FAILED",
    `The workspace changed while it was read: ${shownPath(path)} has another length`,
  );
}
