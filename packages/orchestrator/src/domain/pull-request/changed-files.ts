import type { CommittedChange } from "../publish-policy/run-changes.ts";
import type { ChangedFile } from "./pull-request-facts.ts";

/**
 * What all commits together do to each path, in the order of their names: a file that one adds and
 * another changes was added, and one that is added and removed again is not told of.
 *
 * @param changes commit by commit, oldest first
 */
export function changedFiles(
  changes: readonly Pick<CommittedChange, "path" | "kind">[],
): readonly ChangedFile[] {
  const ends = new Map<string, { readonly wasThere: boolean; readonly isThere: boolean }>();
  for (const { path, kind } of changes) {
    const wasThere = ends.get(path)?.wasThere ?? kind !== "added";
    ends.set(path, { wasThere, isThere: kind !== "removed" });
  }
  return [...ends]
    .filter(([, { wasThere, isThere }]) => wasThere || isThere)
    .map(
      ([path, { wasThere, isThere }]): ChangedFile => ({
        path,
        kind: !isThere ? "removed" : wasThere ? "changed" : "added",
      }),
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
