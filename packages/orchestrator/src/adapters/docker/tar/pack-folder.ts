import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { type NewTarEntry, padding, tarHeader } from "./tar-header.ts";

/** What is read at once; also how much is collected before it is handed on. */
const PIECE_BYTES = 256 * 1024;
const NOFOLLOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Who everything in a container's volume belongs to, user and group. */
export const JOB_USER = 10_001;

/**
 * A folder of ours as part of an archive, in pieces of about 256 kB: files, folders and symlinks
 * with their modes and times; anything else is passed over. Memory is that of one piece.
 *
 * Small files are read synchronously: for 50,000 of them that takes a third of the time, and between
 * two pieces everybody else has their turn.
 *
 * @param name what it is called in the archive
 */
export async function* packFolder(folder: string, name: string): AsyncGenerator<Buffer> {
  let collected: Buffer[] = [];
  let bytes = 0;
  const collect = (...pieces: Buffer[]): void => {
    for (const piece of pieces) {
      collected.push(piece);
      bytes += piece.length;
    }
  };
  const handOver = (): Buffer => {
    const piece = Buffer.concat(collected, bytes);
    collected = [];
    bytes = 0;
    return piece;
  };

  const waiting: { readonly path: string; readonly name: string }[] = [
    { path: Buffer.from(folder).toString("latin1"), name },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, name: entryName } = next;
    const place = Buffer.from(path, "latin1");
    const facts = lstatSync(place);
    const about = {
      mode: facts.mode & 0o777,
      owner: JOB_USER,
      mtimeSeconds: Math.floor(facts.mtimeMs / 1000),
    };
    if (facts.isDirectory()) {
      collect(tarHeader({ ...about, type: "folder", name: `${entryName}/` }));
      for (const child of readdirSync(place, { encoding: "buffer" })) {
        const text = child.toString("latin1");
        waiting.push({ path: `${path}/${text}`, name: `${entryName}/${text}` });
      }
    } else if (facts.isSymbolicLink()) {
      const target = readlinkSync(place, "buffer").toString("latin1");
      collect(tarHeader({ ...about, type: "symlink", name: entryName, target }));
    } else if (facts.isFile()) {
      if (facts.size > PIECE_BYTES) {
        yield handOver();
        yield* packLargeFile(place, { ...about, type: "file", name: entryName });
      } else {
        const content = readSmall(place);
        const header = { ...about, type: "file", name: entryName, bytes: content.length } as const;
        collect(tarHeader(header), content, padding(content.length));
      }
    }
    if (bytes >= PIECE_BYTES) {
      yield handOver();
    }
  }
  yield handOver();
}

/** One file as part of an archive. */
export function packFile(
  name: string,
  content: string | Uint8Array,
  { mode = 0o600 }: { readonly mode?: number } = {},
): Buffer {
  const bytes = Buffer.from(content as string);
  const about = { type: "file", name, bytes: bytes.length, mode, owner: JOB_USER } as const;
  const header = tarHeader({ ...about, mtimeSeconds: Math.floor(Date.now() / 1000) });
  return Buffer.concat([header, bytes, padding(bytes.length)]);
}

function readSmall(place: Buffer): Buffer {
  const file = openSync(place, NOFOLLOW);
  try {
    const { size } = fstatSync(file);
    const content = Buffer.allocUnsafe(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read) {
      read = readSync(file, content, length, size - length, null);
    }
    return content.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

async function* packLargeFile(place: Buffer, entry: NewTarEntry): AsyncGenerator<Buffer> {
  await using file = await open(place, NOFOLLOW);
  const { size } = await file.stat();
  yield tarHeader({ ...entry, bytes: size });
  let length = 0;
  while (length < size) {
    const { bytesRead, buffer } = await file.read({
      buffer: Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - length)),
    });
    if (bytesRead === 0) {
      throw new Error(`${place.toString("utf8")} became shorter while it was read`);
    }
    length += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  yield padding(size);
}
