import { hash } from "node:crypto";
import type { CommittedChange, StoredContent } from "../../../domain/publish-policy/run-changes.ts";
import type { GitRun, RunChanges } from "../../../ports/git-workspace.ts";
import { compare } from "./compare-trees.ts";
import { type Commits, lineFrom } from "./memory-remotes.ts";

/** What the commits of a run do. There are only files in memory. */
export function memoryChanges(
  commits: Commits,
  { baseSha, tipSha }: Pick<GitRun, "baseSha" | "tipSha">,
): RunChanges {
  const line = [...(lineFrom(commits, baseSha, tipSha) ?? [])].reverse();
  const texts = new Map<string, string>();
  const stored = (text: string | undefined): StoredContent | null => {
    if (text === undefined) {
      return null;
    }
    const id = hash("sha1", text);
    texts.set(id, text);
    return { id, bytes: Buffer.byteLength(text) };
  };
  const changes = line.flatMap(({ sha, parent, tree }): readonly CommittedChange[] => {
    const before = commits.get(parent ?? "")?.tree ?? new Map<string, string>();
    return compare(before, tree).map(({ path, kind }) => ({
      commit: sha,
      path,
      kind,
      entry: "file",
      before: stored(before.get(path)),
      after: stored(tree.get(path)),
      target: null,
    }));
  });
  return {
    commits: line.map(({ sha, parent, about }) => ({
      sha,
      parents: parent === null ? [] : [parent],
      phase: /^Speckit-Run: /m.test(about)
        ? (/^Speckit-Phase: (.+)$/m.exec(about)?.[1] ?? null)
        : null,
    })),
    changes,
    read: async (contents) =>
      new Map(contents.map(({ id }) => [id, Buffer.from(texts.get(id) ?? "", "utf8")])),
  };
}
