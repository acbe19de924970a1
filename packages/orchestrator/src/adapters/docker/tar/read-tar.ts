import { SpeckitError } from "../../../domain/speckit-error.ts";
import { BLOCK_BYTES, type TarEntry, type TarType } from "./tar-header.ts";

const TYPES: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "fifo",
};

/** Headers before an entry that say more about it: more than this is no honest archive. */
const EXTENSION_MAX_BYTES = 1024 * 1024;

export interface TarVisitor {
  /** @returns false to have its content passed over */
  readonly onEntry: (entry: TarEntry) => boolean | Promise<boolean>;
  readonly onContent: (piece: Buffer) => void | Promise<void>;
  /** All of a content that was asked for has come. */
  readonly onEnd: () => void | Promise<void>;
}

/**
 * Reads an archive as it comes, in memory of one piece. Content is handed on in the pieces it comes
 * in; the next piece is taken when the visitor is done.
 *
 * @throws SpeckitError `ENGINE_FAILED` for what is no archive or ends early
 */
export async function readTar(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  visitor: TarVisitor,
): Promise<void> {
  const header = Buffer.alloc(BLOCK_BYTES);
  let headerBytes = 0;
  let left = 0;
  let paddingLeft = 0;
  let mode: "header" | "content" | "skip" | "extension" = "header";
  let extension: Buffer[] = [];
  let extensionFlag = "";
  let more: Extensions = {};
  let isOver = false;

  async function begin(): Promise<void> {
    const found = parseHeader(header);
    if (found === undefined) {
      isOver = true;
      return;
    }
    const size = more.size ?? found.bytes;
    paddingLeft = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    if ("xgLK".includes(found.flag)) {
      if (found.bytes > EXTENSION_MAX_BYTES) {
        throw broken(`a header of ${found.bytes} bytes`);
      }
      mode = "extension";
      extensionFlag = found.flag;
      extension = [];
      left = found.bytes;
      paddingLeft = (BLOCK_BYTES - (left % BLOCK_BYTES)) % BLOCK_BYTES;
      if (left === 0) {
        await end();
      }
      return;
    }
    const type = TYPES[found.flag] ?? "other";
    const entry: TarEntry = {
      type,
      name: more.path ?? found.name,
      target: more.linkpath ?? found.target,
      bytes: type === "file" ? size : 0,
      mode: found.mode,
    };
    more = {};
    // Only files have content; some writers give folders and links a size that means nothing.
    left = type === "file" || type === "other" ? size : 0;
    paddingLeft = left === 0 ? 0 : paddingLeft;
    mode = (await visitor.onEntry(entry)) ? "content" : "skip";
    if (left === 0) {
      await end();
    }
  }

  async function end(): Promise<void> {
    if (mode === "content") {
      await visitor.onEnd();
    } else if (mode === "extension") {
      more = { ...more, ...parseExtension(extensionFlag, Buffer.concat(extension)) };
    }
    mode = "header";
    headerBytes = 0;
  }

  for await (const piece of pieces) {
    const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let at = 0;
    while (at < data.length && !isOver) {
      if (mode === "header") {
        const skipped = Math.min(paddingLeft, data.length - at);
        paddingLeft -= skipped;
        at += skipped;
        const taken = Math.min(BLOCK_BYTES - headerBytes, data.length - at);
        data.copy(header, headerBytes, at, at + taken);
        headerBytes += taken;
        at += taken;
        if (headerBytes === BLOCK_BYTES) {
          await begin();
        }
        continue;
      }
      const part = data.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      if (mode === "content") {
        const waits = visitor.onContent(part);
        if (waits !== undefined) {
          await waits;
        }
      } else if (mode === "extension") {
        extension.push(Buffer.from(part));
      }
      if (left === 0) {
        await end();
      }
    }
  }
  if (!isOver) {
    throw broken("its end is missing");
  }
}

interface Extensions {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

/** @returns undefined for the block of zeros that ends an archive */
function parseHeader(header: Buffer) {
  if (header[0] === 0 && header.every((byte) => byte === 0)) {
    return undefined;
  }
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    sum += at >= 148 && at < 156 ? 0 : (header[at] ?? 0);
  }
  if (sum !== number(header, 148, 8)) {
    throw broken("a header has a wrong checksum");
  }
  const isPosix = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? text(header, 345, 155) : "";
  const name = text(header, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(header, 100, 8),
    bytes: number(header, 124, 12),
    flag: header.toString("latin1", 156, 157),
    target: text(header, 157, 100),
  };
}

function parseExtension(flag: string, content: Buffer): Extensions {
  if (flag === "L" || flag === "K") {
    const value = text(content, 0, content.length);
    return flag === "L" ? { path: value } : { linkpath: value };
  }
  // Of the whole archive (`g`): nothing we use.
  const found: { path?: string; linkpath?: string; size?: number } = {};
  for (let at = 0; flag === "x" && at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.toString("latin1", at, space));
    if (
      space === -1 ||
      !Number.isSafeInteger(length) ||
      at + length > content.length ||
      length < 5
    ) {
      throw broken("a pax record that cannot be read");
    }
    const record = content.toString("latin1", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key === "path" || key === "linkpath") {
      found[key] = value;
    } else if (key === "size") {
      found.size = sizeOf(Number(value));
    }
    at += length;
  }
  return found;
}

function text(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return header.toString("latin1", at, end === -1 || end > at + length ? at + length : end);
}

/** Octal, or GNU's base 256 for what does not fit. */
function number(header: Buffer, at: number, length: number): number {
  const first = header[at] ?? 0;
  if (first === 0x80) {
    let value = 0n;
    for (const byte of header.subarray(at + 1, at + length)) {
      value = value * 256n + BigInt(byte);
    }
    return sizeOf(Number(value));
  }
  const digits = text(header, at, length).trim();
  return digits === ""
    ? 0
    : sizeOf(/^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN);
}

function sizeOf(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw broken("a number that is none, or too large");
  }
  return value;
}

function broken(what: string): SpeckitError {
  return new SpeckitError("ENGINE_FAILED", `The engine's archive cannot be read: ${what}`);
}
