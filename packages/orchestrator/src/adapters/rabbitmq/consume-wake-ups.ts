/**
 * Takes wake-ups from the two queues into a bounded number of slots.
 *
 * `work` (runs that were claimed before) is consumed all the time; `start` (runs never claimed)
 * only for as many deliveries as slots are free, and not at all when none is, or when no new runs
 * are wanted. So a continuation never queues behind a backlog of new runs. A delivery that finds no
 * free slot waits here, `work` before `start`; one that has waited some seconds is published again
 * and acked, so that it goes to a worker with a free slot instead of waiting minutes for ours. That
 * is safe for any wake-up at any time, since it carries no state.
 *
 * A worker of an engine also consumes that engine's queue: wake-ups of runs whose container is there.
 * Those take no slot, since what they go on with is running already.
 *
 * A handler's slot is held until its verdict is carried out, and its delivery is acked last.
 */
import type { WakeUp } from "../../contract/wake-up.ts";
import type { ReachFailpoint } from "../../ports/failpoints.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Metrics } from "../../ports/metrics.ts";
import type {
  Consumption,
  DeliveryVerdict,
  TransportHandlers,
  WakeUpDelivery,
} from "../../ports/transport.ts";
import { pause } from "./back-off.ts";
import type { ConfirmingPublisher } from "./confirming-publisher.ts";
import { deadLetter } from "./dead-letter.ts";
import type { BrokerConnection } from "./open-connection.ts";
import { publishThenAck } from "./publish-then-ack.ts";
import { type Delivery, queueConsumer } from "./queue-consumer.ts";
import { slotGate, type WakeUpQueue } from "./slot-gate.ts";
import { engineTopologyOf, namesOf } from "./topology.ts";
import { readWakeUp, wakeUpPublication } from "./wake-up-message.ts";

const GIVE_BACK_AFTER_MS = 5_000;
/** Containers of one engine that a worker goes on with at once beyond its slots, as a bound on memory. */
const MAX_EXTRAS = 50;

/** A message that the client or broker refuses with its sender's properties is buried without them. */
export const BARE_AFTER_FAILURES = 2;

export interface ConsumeContext {
  readonly connection: BrokerConnection;
  readonly publisher: ConfirmingPublisher;
  readonly prefix: string;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  /** Tests shorten it. Default 5 s. */
  readonly giveBackAfterMs?: number | undefined;
  readonly reach?: ReachFailpoint | undefined;
}

export interface StartedConsumption extends Pick<Consumption, "stop"> {
  /** Resolves when every queue is consumed for the first time. */
  readonly ready: Promise<void>;
}

export function consumeWakeUps(
  context: ConsumeContext,
  { onWakeUp, onPassedOn }: Pick<TransportHandlers, "onWakeUp" | "onPassedOn">,
  { slots, engineId }: { readonly slots: number; readonly engineId?: string | undefined },
): StartedConsumption & Consumption {
  const { connection, publisher, prefix, logger } = context;
  const names = namesOf(prefix);
  const stopping = new AbortController();
  let takesNew = true;
  const burials = new Set<Promise<void>>();
  const extras = new Set<Promise<void>>();
  const gate = slotGate(slots, () => start.adjust());
  const common = { connection, logger };
  const works = queueConsumer({
    ...common,
    queue: names.work,
    take: { atOnce: slots },
    onDelivery: (delivery) => receive("work", delivery),
  });
  const start = queueConsumer({
    ...common,
    queue: names.start,
    take: { more: () => (takesNew ? gate.free() : 0) },
    onDelivery: (delivery) => receive("start", delivery),
  });

  const engine =
    engineId === undefined
      ? undefined
      : queueConsumer({
          ...common,
          queue: names.engine(engineId),
          topology: engineTopologyOf(prefix, engineId),
          take: { atOnce: MAX_EXTRAS },
          onDelivery: (delivery) => receive("engine", delivery),
        });

  function receive(queue: WakeUpQueue | "engine", delivery: Delivery): void {
    if (stopping.signal.aborted) {
      return; // It crossed our cancel; it goes back when the channel is closed.
    }
    const read = readWakeUp(delivery.message.content);
    if ("failure" in read) {
      logger.warn(read.failure.message, { queue: delivery.queue });
      context.metrics?.count("dead_letters", { code: read.failure.code });
      const burial = publishThenAck(
        delivery,
        (failures) =>
          publisher.publish(
            deadLetter(names.dead, delivery.queue, delivery.message, read.failure, {
              bare: failures >= BARE_AFTER_FAILURES,
            }),
          ),
        { logger, stopping: stopping.signal },
      ).finally(() => burials.delete(burial));
      burials.add(burial);
      return;
    }
    const { wakeUp } = read;
    if (queue === "engine") {
      const extra = work(true).finally(() => extras.delete(extra));
      extras.add(extra);
      return;
    }
    let hasSlot = false;
    const waiting = gate.enter(queue, async () => {
      hasSlot = true;
      // A delivery that was lost while it waited is somebody else's by now.
      if (delivery.isOurs()) {
        await work(false);
      }
    });
    if (!hasSlot) {
      void giveBackLater();
    }

    async function work(isExtra: boolean): Promise<void> {
      const isRedelivered = delivery.message.fields.redelivered;
      await carryOut(delivery, wakeUp, await verdictOn(wakeUp, { isRedelivered, isExtra }));
    }

    async function giveBackLater(): Promise<void> {
      const waitMs = context.giveBackAfterMs ?? GIVE_BACK_AFTER_MS;
      await Promise.race([pause(waitMs, stopping.signal), delivery.lost]);
      if (stopping.signal.aborted) {
        return;
      }
      const passedOn = await successorOf(wakeUp, delivery.message.fields.redelivered);
      if (!stopping.signal.aborted && waiting.leave()) {
        const route = { to: "work" } as const;
        await carryOut(delivery, wakeUp, { do: "publish_and_ack", wakeUp: passedOn, route });
      }
    }
  }

  async function successorOf(wakeUp: WakeUp, isRedelivered: boolean): Promise<WakeUp> {
    try {
      return (await onPassedOn?.(wakeUp, { isRedelivered })) ?? wakeUp;
    } catch (error) {
      const { runId } = wakeUp;
      logger.warn(`a wake-up is passed on as it came: ${String(error)}`, { runId });
      return wakeUp;
    }
  }

  async function verdictOn(wakeUp: WakeUp, delivery: WakeUpDelivery): Promise<DeliveryVerdict> {
    try {
      return await onWakeUp(wakeUp, delivery);
    } catch (error) {
      logger.error(`a wake-up's handler threw, which is a bug: ${String(error)}`, {
        runId: wakeUp.runId,
        stack: error instanceof Error ? error.stack : undefined,
      });
      return { do: "ack" };
    }
  }

  async function carryOut(
    delivery: Delivery,
    { runId }: WakeUp,
    verdict: DeliveryVerdict,
  ): Promise<void> {
    if (verdict.do === "leave") {
      return;
    }
    await context.reach?.("delivery.judged", { runId });
    if (verdict.do === "ack") {
      delivery.ack();
      return;
    }
    const publication = wakeUpPublication(prefix, verdict.wakeUp, verdict.route);
    await publishThenAck(delivery, () => publisher.publish(publication), {
      logger,
      stopping: stopping.signal,
      onPublished: () => context.reach?.("delivery.published", { runId }),
    });
  }

  return {
    ready: Promise.all([works.ready, start.ready, engine?.ready]).then(() => {}),
    takeNew(isWanted) {
      takesNew = isWanted;
      start.adjust();
    },
    async stop() {
      stopping.abort();
      await Promise.all([works.cancel(), start.cancel(), engine?.cancel()]);
      await Promise.all([gate.close(), ...burials, ...extras]);
      await Promise.all([works.close(), start.close(), engine?.close()]);
    },
  };
}
