/** An event of a stream, as a client reads it. */
export type ReadEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The events of a whole stream; each one's `event` line names the type that is in its data. */
export function eventsIn(stream: string): readonly ReadEvent[] {
  return stream
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, name, data = ""] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
      const event = JSON.parse(data) as ReadEvent;
      if (event.type !== name) {
        throw new Error(`Event ${name} holds data of ${event.type}`);
      }
      return event;
    });
}

/** The items that a stream has given in whole. */
export function itemsIn(stream: string): readonly Readonly<Record<string, unknown>>[] {
  return eventsIn(stream)
    .filter(({ type }) => type === "response.output_item.done")
    .map(({ item }) => item as Record<string, unknown>);
}
