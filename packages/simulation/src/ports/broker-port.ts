import type { BrokerConnection, BrokerListener } from "@speckit/orchestrator/testing";
import type { Process, World } from "../world/process.ts";

/** How a process opens connections to the broker, and what travels over them. */
export function brokerPort(
  { scheduler, random, services, oracle }: World,
  process: Omit<Process, "deps">,
): (listener: BrokerListener) => Promise<BrokerConnection> {
  const { broker: wire } = process.links;
  const lostWith = (): unknown => new Error("the connection to the broker is lost");

  return (listener) =>
    wire.call(
      "broker: connect",
      async () => {
        const isCut = (): boolean => process.cutFrom.has("broker") || services.away.broker;
        let isOver = false;
        const server = services.broker.connect({
          deliver(delivery) {
            if (!isCut()) {
              scheduler.after(random.between(0, 3), "broker: delivery", process, () =>
                listener.deliver(delivery),
              );
            }
          },
          hint(runId) {
            if (!isCut()) {
              scheduler.after(random.between(0, 3), "broker: hint", process, () =>
                listener.hint(runId),
              );
            }
          },
          closed() {
            process.connections.delete(server);
            if (!isOver) {
              isOver = true;
              // A client that is cut off hears nothing; it finds out by itself.
              const laterMs = isCut() ? random.between(0, 60_000) : random.between(0, 5);
              scheduler.after(laterMs, "broker: closed", process, listener.closed);
            }
          },
        });
        process.connections.add(server);
        const call = <T>(label: string, effect: () => Promise<T>): Promise<T> =>
          wire.call(`broker: ${label}`, effect, lostWith);
        return {
          publishWakeUp: (wakeUp, route) =>
            call("publish wake-up", () => {
              oracle.onWakeUp();
              return server.publishWakeUp(wakeUp, route);
            }),
          publishHint: (runId) => call("publish hint", () => server.publishHint(runId)),
          publishEvent: (event) => call("publish event", () => server.publishEvent(event)),
          publishReply: (replyTo, correlationId, body) =>
            call("publish reply", () => server.publishReply(replyTo, correlationId, body)),
          bury: (request, failure) => call("bury", () => server.bury(request, failure)),
          startBacklog: () => call("backlog", () => server.startBacklog()),
          consume: (slots, takesNew) =>
            wire.send("broker: consume", () => server.consume(slots, takesNew)),
          cancel: () => wire.send("broker: cancel", () => server.cancel()),
          ack: (tag) => wire.send("broker: ack", () => server.ack(tag)),
          close() {
            isOver = true;
            wire.send("broker: close", () => {
              process.connections.delete(server);
              server.close();
            });
          },
        };
      },
      lostWith,
    );
}
