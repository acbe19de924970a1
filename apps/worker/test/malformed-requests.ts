import { gzipSync } from "node:zlib";
import type { SeededRandom } from "@speckit/testkit";
import type { Options } from "amqplib";
import type { DoorKey } from "./door.ts";

/** A message for the public door that must be refused, with the codes that may be the reason. */
export interface MalformedRequest {
  /** What is wrong with it, for people. */
  readonly kind: string;
  readonly body: Buffer;
  readonly codes: readonly string[];
  readonly properties: Options.Publish;
  /** With which key: a request's, a command's, or the queue's own name, past the door. */
  readonly key: DoorKey;
}

type Request = Readonly<Record<string, unknown>>;
type Mutation = (random: SeededRandom, valid: Request) => Buffer | string | object;

/** The contract's largest request, in bytes. */
export const LIMIT_BYTES = 256 * 1024;

const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then"];
const WRONG_VALUES: readonly unknown[] = [
  null,
  [],
  {},
  [[]],
  { a: 1 },
  -1,
  1.5,
  "",
  true,
  "\u202e",
];
const NESTED_DEEPLY = 10_000;

/** How each field is filled wrongly although its type is right. */
const WRONG_CONTENT: Readonly<Record<string, readonly unknown[]>> = {
  schemaVersion: [0, 2, "1", 1.5],
  runId: ["x", "0", "not-a-uuid", "{0190163d-8694-739b-aea5-966c26f8ad91}"],
  idempotencyKey: ["", "x".repeat(201), "a\u0000b", "a\ud800b"],
  specifyText: ["", " \t\n", "a\u0000b", "\udc00"],
  baseBranch: ["a..b", "-x", "--upload-pack=x", "@{-1}", "a b", "refs/heads/x", "x.lock", "\u0000"],
  branch: [
    ...["a..b", "-x", "a//b", "HEAD", "@", "a~1", "a\\b", "x".repeat(300), "../../etc/passwd"],
    ...["$(id)", "a;b", "m\u0430in", "a\u202eb", "\uff4dain", "con", "a\u200bb"],
  ],
  projectDirectory: ["", ".", "..", "../x", "a/../b", "/etc", "a//b", ".git/hooks", "-x", "a\\b"],
  featureDirectory: ["../x", "/etc", "specs/../../x", "specs/001-x/../y", "specs/1-x", "-x"],
  agent: [
    ...[{ backend: "../x" }, { backend: "$(id)" }, { backend: "" }, { backend: null }],
    ...[{ model: "" }, { model: null }, { model: "x".repeat(101) }, { options: [] }],
    ...[{ options: { a: {} } }, { options: { "": 1 } }, { options: { a: null } }],
  ],
  pauseAfter: [["delete"], ["__proto__"], "specify", [["plan"]], ["prepare"]],
  phases: [[], ["specify", "delete"], ["__proto__"], "specify", [["plan"]], Array(50).fill("plan")],
  dryRun: ["yes", 0, 1, null, []],
  onQuestions: ["ask", "__proto__", "", true],
  limits: [
    { deadlineMs: 0 },
    { deadlineMs: 1e308 },
    { deadlineMs: "1000" },
    { deadlineMs: 1000.5 },
    { maxTokens: 0 },
    { maxTokens: "all" },
    { maxUsd: 0 },
    { maxUsd: -1 },
  ],
  externalRef: ["", "x".repeat(501), "\u0000", "\ud800"],
  metadata: [{ "": 1 }, { a: {} }, { a: [] }, { a: null }, { a: "\u0000" }, { "\ud800": 1 }, []],
};
const BAD_REPOSITORIES = [
  "",
  "acme",
  "--upload-pack=touch /tmp/x",
  "-x/y",
  "ext::sh -c id",
  "https://example.com",
  "git@host:-x",
  "ftp://host/x",
  "acme/shop\n",
  "acme/../../x",
  "$(id)/x",
  "acme/sh\u0000p",
];

/** Text with something put in at a random place. */
function withInserted(random: SeededRandom, text: Buffer, bytes: readonly number[]): Buffer {
  const at = 1 + random.int(text.length - 1);
  return Buffer.concat([text.subarray(0, at), Buffer.from(bytes), text.subarray(at)]);
}

const json = (value: unknown): string => JSON.stringify(value);
const bytes = (value: unknown): Buffer => Buffer.from(json(value));
/** JSON text with one more field, written as it is: objects cannot have two, nor `__proto__`. */
const withField = (valid: Request, field: string): string =>
  `${json(valid).slice(0, -1)},${field}}`;

const NOT_JSON: Readonly<Record<string, Mutation>> = {
  empty: () => "",
  "white space": (random) => " \n\t".repeat(1 + random.int(10)),
  "cut off": (random, valid) => json(valid).slice(0, 1 + random.int(json(valid).length - 1)),
  "two documents": (_, valid) => json(valid) + json(valid),
  "a comma too many": (_, valid) => `${json(valid).slice(0, -1)},}`,
  "single quotes": (_, valid) => json(valid).replaceAll('"', "'"),
  "not a number": (_, valid) => withField(valid, '"limits":{"deadlineMs":NaN}'),
  "a raw control character": (random, valid) =>
    withInserted(random, bytes(valid), [random.pick([0, 1, 7, 8, 27, 31])]),
  "a byte that is no UTF-8": (random, valid) =>
    withInserted(
      random,
      bytes(valid),
      random.pick([[0xff], [0xfe], [0xc0, 0xaf], [0x80], [0xed, 0xa0, 0x80]]),
    ),
  "UTF-16": (_, valid) => Buffer.from(json(valid), "utf16le"),
  gzip: (_, valid) => gzipSync(json(valid)),
  noise: (random) =>
    Buffer.from([0xff, ...Array.from({ length: 1 + random.int(300) }, () => random.int(256))]),
  "never closed": () => "[".repeat(NESTED_DEEPLY),
};

const WRONG_SHAPE: Readonly<Record<string, Mutation>> = {
  "no object": (random) => random.pick(["null", "true", "1", '"text"', "[]", "1e999", "[[[]]]"]),
  "a list of requests": (_, valid) => [valid],
  "nested deeply": (random, valid) => {
    const nested = random.pick([
      `${"[".repeat(NESTED_DEEPLY)}${"]".repeat(NESTED_DEEPLY)}`,
      `${'{"a":'.repeat(NESTED_DEEPLY)}1${"}".repeat(NESTED_DEEPLY)}`,
    ]);
    const field = random.pick(["metadata", "agent", "phases", "limits", "unknown"]);
    return random.oneIn(3) ? nested : withField(valid, `"${field}":${nested}`);
  },
  "an unknown field": (random, valid) =>
    withField(
      valid,
      `${json(random.pick([...NAMES, "", "x", "Repository", "\u001b[31m", "a\nb"]))}:1`,
    ),
  "an unknown field inside": (random, valid) => {
    const name = json(random.pick([...NAMES, "x"]));
    return withField(
      valid,
      random.pick([
        `"agent":{"backend":"scripted",${name}:1}`,
        `"limits":{${name}:{"x":1}}`,
        `"__proto__":{"isAdmin":true}`,
        `"constructor":{"prototype":{"isAdmin":true}}`,
      ]),
    );
  },
  "a field that is missing": (random, valid) => {
    const { [random.pick(["schemaVersion", "specifyText"])]: _, ...rest } = valid;
    return rest;
  },
  "the prototype as a request": (_, valid) => `{"__proto__":${json(valid)}}`,
  "a second schemaVersion": (_, valid) => withField(valid, '"schemaVersion":2'),
  "a wrong type": (random, valid) => ({
    ...valid,
    [random.pick(["schemaVersion", "specifyText", "phases", "limits"])]: random.pick(
      WRONG_VALUES.filter((value) => typeof value !== "string" && !isEmptyObject(value)),
    ),
  }),
  "a wrong value": (random, valid) => {
    const field = random.pick(Object.keys(WRONG_CONTENT));
    return { ...valid, [field]: random.pick(WRONG_CONTENT[field] ?? []) };
  },
  "a huge number": (random, valid) =>
    withField(
      valid,
      random.pick([
        '"limits":{"deadlineMs":1e999}',
        '"limits":{"deadlineMs":9007199254740993}',
        '"metadata":{"a":1e999}',
        '"schemaVersion":1e400',
        `"limits":{"deadlineMs":${"9".repeat(5_000)}}`,
      ]),
    ),
  "too many entries": (_, valid) => ({
    ...valid,
    metadata: Object.fromEntries(Array.from({ length: 51 }, (_item, ix) => [`k${ix}`, ix])),
  }),
};

const isEmptyObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && json(value) === "{}";

/** A request of exactly so many bytes. */
export function ofSize(valid: Request, size: number): Buffer {
  const empty = bytes({ ...valid, specifyText: "" }).length;
  return bytes({ ...valid, specifyText: "x".repeat(size - empty) });
}

/**
 * One message that nobody may accept, made from a valid request by a random choice. Large ones are
 * rare: ten thousand messages are some 50 MB.
 */
export function malformedRequest(random: SeededRandom, valid: Request): MalformedRequest {
  const { kind, codes, body } = choose(random, valid);
  const properties = {
    ...surroundings(random),
    ...(kind === "gzip" ? { contentEncoding: "gzip" } : {}),
  };
  const key = random.pick<DoorKey>([...Array(18).fill("request"), "command", "queue"]);
  return {
    kind,
    codes: [
      ...codes,
      // A request is no command.
      ...(key === "command" ? ["REQUEST_INVALID"] : []),
      // Looked at after the request's shape, and before what the deployment allows.
      ...(properties.correlationId?.includes("\0") ? ["REQUEST_INVALID"] : []),
    ],
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : json(body)),
    properties,
    key,
  };
}

function choose(
  random: SeededRandom,
  valid: Request,
): Pick<MalformedRequest, "kind" | "codes"> & { readonly body: Buffer | string | object } {
  const dice = random.int(100);
  if (dice < 40) {
    const kind = random.pick(Object.keys(NOT_JSON));
    return { kind, codes: ["REQUEST_NOT_JSON"], body: NOT_JSON[kind]!(random, valid) };
  }
  if (dice < 85) {
    const kind = random.pick(Object.keys(WRONG_SHAPE));
    return { kind, codes: ["REQUEST_INVALID"], body: WRONG_SHAPE[kind]!(random, valid) };
  }
  if (dice < 95) {
    const repository = random.pick([...BAD_REPOSITORIES, "acme/shop", "file:///etc", null, 7]);
    const codes = ["REPOSITORY_INVALID", "REPOSITORY_NOT_ALLOWED"];
    return { kind: "a wrong repository", codes, body: { ...valid, repository } };
  }
  if (dice < 98) {
    const agent = { backend: random.pick(["nobody", "codex-", "scripted2"]) };
    return { kind: "an agent nobody has", codes: ["AGENT_UNKNOWN"], body: { ...valid, agent } };
  }
  return oversize(random, valid);
}

function oversize(random: SeededRandom, valid: Request) {
  const kind = "too large";
  const codes = ["REQUEST_TOO_LARGE"];
  if (random.oneIn(10)) {
    return { kind, codes, body: ofSize(valid, 1_000_000) };
  }
  if (random.oneIn(2)) {
    return { kind, codes, body: ofSize(valid, LIMIT_BYTES + 1) };
  }
  const atLimit = { ...valid, unknown: 1 };
  return { kind: "at the limit", codes: ["REQUEST_INVALID"], body: ofSize(atLimit, LIMIT_BYTES) };
}

/** Properties and headers as senders of all kinds might set them. */
function surroundings(random: SeededRandom): Options.Publish {
  switch (random.int(12)) {
    case 0:
      return { contentType: random.pick(["text/plain", "application/xml", "", "x".repeat(255)]) };
    case 1:
      return { headers: { big: "x".repeat(random.pick([999, 1_001, 60_000])) } };
    case 2:
      return {
        headers: Object.fromEntries(Array.from({ length: 300 }, (_, ix) => [`h${ix}`, ix])),
      };
    case 3:
      return { headers: { "speckit-code": "FORGED", "speckit-dead-id": "forged", "x-death": "x" } };
    case 4:
      return { headers: { nested: { deep: [1, { deeper: null }] }, when: true, "": "" } };
    case 5:
      return { replyTo: random.pick(["nowhere", "x".repeat(255), "\u001b]0;x", "#", "*"]) };
    case 6:
      return { correlationId: random.pick(["", "a\u0000b", "x".repeat(255), "名".repeat(80)]) };
    case 7:
      return {
        type: "run.command",
        appId: "fuzz",
        priority: 9,
        timestamp: 2 ** 40,
        userId: "guest",
      };
    default:
      return {};
  }
}
