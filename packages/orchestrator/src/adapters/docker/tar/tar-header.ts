/**
 * The part of the tar format (POSIX pax, with GNU's base-256 sizes) that the engine's archive API
 * speaks. Our own, since names are bytes: a library that makes them text loses every name that is
 * not UTF-8, and with it the file. Names are strings of one character per byte (latin1).
 */
export const BLOCK_BYTES = 512;

export type TarType = "file" | "link" | "symlink" | "folder" | "fifo" | "device" | "other";

export interface TarEntry {
  readonly type: TarType;
  /** As it is in the archive, one character per byte. */
  readonly name: string;
  /** Of links and symlinks, one character per byte. */
  readonly target: string;
  /** Content that follows. */
  readonly bytes: number;
  readonly mode: number;
}

export interface NewTarEntry {
  readonly type: "file" | "symlink" | "folder";
  /** One character per byte. */
  readonly name: string;
  readonly target?: string;
  readonly bytes?: number;
  readonly mode: number;
  readonly owner: number;
  readonly mtimeSeconds: number;
}

const TYPE_FLAGS = { file: "0", symlink: "2", folder: "5", pax: "x" } as const;
const MAX_NAME_BYTES = 100;
const MAX_OCTAL_SIZE = 0o77777777777;

/** The header of an entry; a pax header goes before it where ustar has no room for its names or size. */
export function tarHeader(entry: NewTarEntry): Buffer {
  const { name, target = "", bytes = 0 } = entry;
  const records: Buffer[] = [];
  if (name.length > MAX_NAME_BYTES) {
    records.push(paxRecord("path", name));
  }
  if (target.length > MAX_NAME_BYTES) {
    records.push(paxRecord("linkpath", target));
  }
  if (bytes > MAX_OCTAL_SIZE) {
    records.push(paxRecord("size", String(bytes)));
  }
  const own = block(TYPE_FLAGS[entry.type], { ...entry, bytes: Math.min(bytes, MAX_OCTAL_SIZE) });
  if (records.length === 0) {
    return own;
  }
  const pax = Buffer.concat(records);
  const before = block(TYPE_FLAGS.pax, { ...entry, name: "pax", target: "", bytes: pax.length });
  return Buffer.concat([before, pax, padding(pax.length), own]);
}

/** What fills the last block of a content of so many bytes. */
export function padding(bytes: number): Buffer {
  return ZEROS.subarray(0, (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What an archive ends with. */
export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

const ZEROS = Buffer.alloc(BLOCK_BYTES);

function block(
  flag: string,
  { name, target = "", bytes = 0, mode, owner, mtimeSeconds }: Omit<NewTarEntry, "type">,
): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name.slice(0, MAX_NAME_BYTES), 0, "latin1");
  octal(header, 100, 8, mode);
  octal(header, 108, 8, owner);
  octal(header, 116, 8, owner);
  octal(header, 124, 12, bytes);
  octal(header, 136, 12, Math.max(0, Math.min(mtimeSeconds, MAX_OCTAL_SIZE)));
  header.write(flag, 156, "latin1");
  header.write(target.slice(0, MAX_NAME_BYTES), 157, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  sign(header);
  return header;
}

/** Makes an owner, user and group, that of a header which is there already. */
export function giveTo(header: Buffer, owner: number): void {
  octal(header, 108, 8, owner);
  octal(header, 116, 8, owner);
  // Names of owners would stand above their numbers.
  header.fill(0, 265, 329);
  sign(header);
}

/** How much content follows a header; of one that says so itself. */
export function sizeIn(header: Buffer): number {
  return Number.parseInt(header.toString("latin1", 124, 136), 8);
}

function sign(header: Buffer): void {
  header.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of header) {
    sum += byte;
  }
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

function octal(header: Buffer, at: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.from(`${length}${rest}`, "latin1");
}
