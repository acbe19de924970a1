import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import { seededRandom, testSeed } from "@speckit/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { readClientHello } from "../../../../src/adapters/gateway/egress/client-hello.ts";

/** What Node's TLS sends first. */
async function realHello(servername: string): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, servername });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [first] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return first;
}

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const sized = (content: Buffer, bytes: 1 | 2 | 3): Buffer => {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
};
const extension = (type: number, content: Buffer): Buffer =>
  Buffer.concat([uint16(type), sized(content, 2)]);
const serverName = (name: string, kind = 0): Buffer =>
  extension(0, sized(Buffer.concat([Buffer.from([kind]), sized(Buffer.from(name), 2)]), 2));
const record = (content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([22, 3, 1]), sized(content, 2)]);
const message = (extensions: Buffer | undefined, after = Buffer.alloc(0)): Buffer =>
  Buffer.concat([
    Buffer.from([1]),
    sized(
      Buffer.concat([
        Buffer.from([3, 3]),
        Buffer.alloc(32, 7),
        sized(Buffer.alloc(0), 1),
        sized(Buffer.from([0x13, 0x01]), 2),
        sized(Buffer.from([0]), 1),
        extensions === undefined ? Buffer.alloc(0) : sized(extensions, 2),
        after,
      ]),
      3,
    ),
  ]);
const hello = (...extensions: Buffer[]): Buffer => record(message(Buffer.concat(extensions)));

let real: Buffer;
beforeAll(async () => {
  real = await realHello("one.example.org");
});

describe("a ClientHello", () => {
  test("of a real client names its server", () => {
    expect(readClientHello(real)).toEqual({
      kind: "hello",
      serverName: "one.example.org",
      isEncrypted: false,
    });
  });

  test("is incomplete at every byte before its last, and nothing else", () => {
    for (let length = 0; length < real.length; length += 1) {
      expect(readClientHello(real.subarray(0, length)), String(length)).toEqual({
        kind: "incomplete",
      });
    }
  });

  test("in several records is put together", () => {
    const whole = message(serverName("one.example.org"));
    const parts = [whole.subarray(0, 2), whole.subarray(2, 60), whole.subarray(60)];
    expect(readClientHello(Buffer.concat(parts.map(record)))).toMatchObject({
      serverName: "one.example.org",
    });
  });

  test("without extensions, or without a name among them, names nobody", () => {
    for (const bytes of [
      record(message(undefined)),
      hello(),
      hello(extension(10, Buffer.alloc(4))),
    ]) {
      expect(readClientHello(bytes)).toMatchObject({ kind: "hello", serverName: undefined });
    }
  });

  test.each([0xfe0d, 0xffce])("that hides its name is seen to (extension %i)", (type) => {
    const bytes = hello(serverName("one.example.org"), extension(type, Buffer.alloc(8)));
    expect(readClientHello(bytes)).toMatchObject({ isEncrypted: true });
  });
});

describe("malformed is", () => {
  const whole = message(serverName("one.example.org"));
  test.each<[string, () => Buffer]>([
    ["HTTP", () => Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["SSH", () => Buffer.from("SSH-2.0-x\r\n")],
    ["SSL 2", () => Buffer.from([0x80, 0x2e, 0x01, 0x03, 0x01])],
    ["an alert", () => Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["a record of another protocol", () => Buffer.from([22, 2, 1, 0, 2, 1, 0])],
    ["an empty record", () => record(Buffer.alloc(0))],
    ["a record that is too large", () => Buffer.from([22, 3, 1, 0xff, 0xff])],
    [
      "another handshake message",
      () => record(Buffer.concat([Buffer.from([2]), whole.subarray(1)])),
    ],
    ["a hello that says it is too large", () => record(Buffer.from([1, 1, 0, 0, 3, 3]))],
    [
      "a hello in too many records",
      () => Buffer.concat([...whole].map((byte) => record(Buffer.from([byte])))),
    ],
    [
      "something more in the hello's last record",
      () => record(Buffer.concat([whole, Buffer.from([1])])),
    ],
    [
      "two names in two extensions",
      () => hello(serverName("a.example.org"), serverName("b.example.org")),
    ],
    [
      "two names in one extension",
      () => {
        const one = (name: string) =>
          Buffer.concat([Buffer.from([0]), sized(Buffer.from(name), 2)]);
        return hello(
          extension(0, sized(Buffer.concat([one("a.example.org"), one("b.example.org")]), 2)),
        );
      },
    ],
    ["a name of another kind", () => hello(serverName("a.example.org", 1))],
    [
      "a list of names that is longer than its extension",
      () => hello(extension(0, Buffer.from([0, 9, 0]))),
    ],
    [
      "something after the list",
      () => {
        const list = sized(
          Buffer.concat([Buffer.from([0]), sized(Buffer.from("a.example.org"), 2)]),
          2,
        );
        return hello(extension(0, Buffer.concat([list, Buffer.from([0])])));
      },
    ],
    ["something after the extensions", () => record(message(Buffer.alloc(0), Buffer.from([0])))],
    ["an extension that is cut", () => hello(Buffer.from([0, 10, 0, 9, 1]))],
  ])("%s", (_what, bytes) => {
    expect(readClientHello(bytes())).toEqual({ kind: "malformed" });
  });

  test("a hello with bytes changed at random throws nothing", () => {
    const random = seededRandom(testSeed("changed hellos"));
    for (let round = 0; round < 2_000; round += 1) {
      const changed = Buffer.from(real);
      for (let change = 0; change < 3; change += 1) {
        changed[random.int(changed.length)] = random.int(256);
      }
      expect(["hello", "malformed", "incomplete"]).toContain(readClientHello(changed).kind);
    }
  });
});
