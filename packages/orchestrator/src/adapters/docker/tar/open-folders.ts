import { closeSync, constants, openSync } from "node:fs";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * The folder that is being written to, reached from the root one name at a time, none of them a
 * symlink: whatever an archive says, nothing outside the root is reached. An archive lists a folder
 * after its parent, so the folders on the way are kept open.
 *
 * Linux resolves `/proc/self/fd/N/name` from the folder that is open as N, as `openat` would, which
 * Node does not have. Elsewhere the path itself is used; nobody else writes below the root.
 */
export class OpenFolders implements Disposable {
  readonly #root: string;
  readonly #open: { readonly name: string; readonly fd: number }[] = [];

  /** @param root a path without symlinks on the way that others could change */
  constructor(root: string) {
    this.#root = root;
    this.#open.push({ name: "", fd: openSync(root, FOLDER) });
  }

  /**
   * Where a name in a folder is, for one system call that does not follow its last name.
   *
   * @param folder names from the root, one character per byte
   * @throws a system error: `ENOENT`, or `ELOOP` or `ENOTDIR` for what is no folder
   */
  pathIn(folder: readonly string[], name: string): Buffer {
    let depth = 0;
    while (depth < folder.length && this.#open[depth + 1]?.name === folder[depth]) {
      depth += 1;
    }
    for (const { fd } of this.#open.splice(depth + 1)) {
      closeSync(fd);
    }
    for (const next of folder.slice(depth)) {
      const fd = openSync(this.#inLast(next), FOLDER);
      this.#open.push({ name: next, fd });
    }
    return this.#inLast(name);
  }

  #inLast(name: string): Buffer {
    const last = this.#open.at(-1);
    const parent =
      process.platform === "linux"
        ? `/proc/self/fd/${last?.fd}`
        : [this.#root, ...this.#open.slice(1).map((open) => open.name)].join("/");
    return Buffer.concat([Buffer.from(`${parent}/`), Buffer.from(name, "latin1")]);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.splice(0)) {
      closeSync(fd);
    }
  }
}
