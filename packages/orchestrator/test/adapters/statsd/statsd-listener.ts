import { createSocket } from "node:dgram";
import { once } from "node:events";
import { eventually } from "@speckit/testkit";
import type { ToldMetric } from "../../../src/testing/metrics-recorder.ts";

export interface StatsdListener extends AsyncDisposable {
  readonly port: number;
  /** Datagrams in order of arrival. */
  readonly datagrams: readonly string[];
  /** Resolves when at least `count` have arrived. */
  readonly arrived: (count: number) => Promise<readonly string[]>;
}

/** A UDP socket on loopback that keeps what it receives. */
export async function statsdListener(): Promise<StatsdListener> {
  const socket = createSocket("udp4");
  const datagrams: string[] = [];
  let closed: Promise<void> | undefined;
  socket.on("message", (message) => datagrams.push(message.toString("utf8")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    datagrams,
    arrived: (count) =>
      eventually(
        `${count} datagrams`,
        () => datagrams,
        (seen) => seen.length >= count,
      ),
    async [Symbol.asyncDispose]() {
      closed ??= new Promise((resolve) => socket.close(resolve));
      await closed;
    },
  };
}

const KINDS = { c: "counter", ms: "timing", g: "gauge" } as const;

/** Reads one datagram as a StatsD server would. */
export function readDatagram(text: string, prefix: string): ToldMetric {
  const found = /^([a-z0-9_.]+):([0-9.]+)\|(c|ms|g)(?:\|#(.+))?$/.exec(text);
  if (!found?.[1]?.startsWith(prefix)) {
    throw new Error(`No datagram of StatsD: ${text}`);
  }
  const [, name = "", value = "", kind = "c", tags = ""] = found;
  return {
    kind: KINDS[kind as keyof typeof KINDS],
    name: name.slice(prefix.length),
    value: Number(value),
    tags: Object.fromEntries(
      tags
        .split(",")
        .filter((tag) => tag !== "")
        .map((tag) => tag.split(":")),
    ),
  };
}
