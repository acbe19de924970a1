/**
 * What the first bytes of a TLS connection say, as far as a judgement needs it (RFC 8446 sections 4.1.2
 * and 5.1, RFC 6066 section 3). Strict where two readers could differ: what is longer or shorter than it
 * says, twice there, or of another protocol is malformed.
 */
export type ClientHello =
  /** More bytes are needed. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed" }
  | {
      readonly kind: "hello";
      /** As it came; undefined: none. */
      readonly serverName: string | undefined;
      /** Encrypted Client Hello: the name that counts is inside. */
      readonly isEncrypted: boolean;
    };

/** Of a hello with all its records: with keys for a quantum computer's age they come to 2 kB. */
export const MAX_HELLO_BYTES = 16 * 1024;

/** Nobody needs more; each costs another look at all before it. */
const MAX_RECORDS = 16;
const HANDSHAKE = 22;
const MAJOR = 3;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Encrypted Client Hello, and its predecessor. */
const HIDDEN_NAMES = new Set([0xfe0d, 0xffce]);

const INCOMPLETE: ClientHello = { kind: "incomplete" };
const MALFORMED: ClientHello = { kind: "malformed" };

/** Thrown where a field would reach beyond what holds it. */
class TooShort extends Error {}

/** Reads from the connection's first byte on. */
export function readClientHello(bytes: Uint8Array): ClientHello {
  const message = handshakeOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (!Buffer.isBuffer(message)) {
    return message;
  }
  try {
    return helloOf(message);
  } catch (error) {
    if (error instanceof TooShort) {
      return MALFORMED;
    }
    throw error;
  }
}

/** The first handshake message, put together from its records. */
function handshakeOf(bytes: Buffer): Buffer | ClientHello {
  const parts: Buffer[] = [];
  for (let at = 0; parts.length < MAX_RECORDS; ) {
    const head = bytes.subarray(at, at + 5);
    if ((head[0] ?? HANDSHAKE) !== HANDSHAKE || (head[1] ?? MAJOR) !== MAJOR) {
      return MALFORMED;
    }
    if (head.length < 5) {
      return INCOMPLETE;
    }
    const length = head.readUInt16BE(3);
    if (length === 0 || length > MAX_HELLO_BYTES) {
      return MALFORMED;
    }
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    const message = Buffer.concat(parts);
    if ((message[0] ?? CLIENT_HELLO) !== CLIENT_HELLO) {
      return MALFORMED;
    }
    const whole = message.length < 4 ? undefined : 4 + message.readUIntBE(1, 3);
    if (whole !== undefined && whole > MAX_HELLO_BYTES) {
      return MALFORMED;
    }
    if (whole !== undefined && message.length >= whole) {
      // What may follow before the server's answer, early data, has records of its own.
      return message.length === whole ? message.subarray(4) : MALFORMED;
    }
    if (part.length < length) {
      return INCOMPLETE;
    }
    at += 5 + length;
  }
  return MALFORMED;
}

function helloOf(message: Buffer): ClientHello {
  const body = cursor(message);
  body.skip(2 + 32);
  body.vector(1);
  body.vector(2);
  body.vector(1);
  if (body.isAtEnd()) {
    return { kind: "hello", serverName: undefined, isEncrypted: false };
  }
  const extensions = cursor(body.vector(2));
  if (!body.isAtEnd()) {
    return MALFORMED;
  }
  const seen = new Set<number>();
  let serverName: string | undefined;
  while (!extensions.isAtEnd()) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (seen.has(type)) {
      return MALFORMED;
    }
    seen.add(type);
    if (type === SERVER_NAME) {
      const names = cursor(cursor(data).vector(2));
      const kind = names.number(1);
      serverName = names.vector(2).toString("latin1");
      const isOne = names.isAtEnd() && data.length === 5 + serverName.length;
      if (kind !== HOST_NAME || !isOne) {
        return MALFORMED;
      }
    }
  }
  const isEncrypted = [...HIDDEN_NAMES].some((type) => seen.has(type));
  return { kind: "hello", serverName, isEncrypted };
}

/** Reads fields one after the other, and never beyond the end. */
function cursor(bytes: Buffer) {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) {
      throw new TooShort();
    }
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (length: 1 | 2): number => take(length).readUIntBE(0, length);
  return {
    skip: (length: number): void => void take(length),
    number,
    /** A field that says its own length first, in so many bytes. */
    vector: (lengthBytes: 1 | 2): Buffer => take(number(lengthBytes)),
    isAtEnd: () => at === bytes.length,
  };
}
