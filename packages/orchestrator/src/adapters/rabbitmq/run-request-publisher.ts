import type { RunRequest } from "../../contract/run-request.ts";
import type { RunResult } from "../../contract/run-result.ts";
import type { Logger } from "../../ports/logger.ts";
import { awaitResult } from "./await-result.ts";
import { brokerAddress } from "./broker-address.ts";
import { unavailable } from "./broker-errors.ts";
import { confirmingPublisher } from "./confirming-publisher.ts";
import { openConnection } from "./open-connection.ts";
import { openReplyInbox, type ReplyInbox, replyQueue } from "./reply-inbox.ts";
import { requestMessage } from "./request-message.ts";
import { requestSender } from "./request-sender.ts";
import { silentLogger } from "./silent-logger.ts";
import { publicDoorOf, type QueueSpec, topologyOf } from "./topology.ts";
import { waitingNotice } from "./waiting-notice.ts";

const PUBLISH_WITHIN_MS = 10_000;
/** Twice the working time a run may take by default. */
const RESULT_WITHIN_MS = 60 * 60_000;
const ASK_AGAIN_MS = 60_000;

export interface RunRequestPublisherOptions {
  /** `amqp://` or `amqps://`, with user, password and virtual host. */
  readonly url: string;
  /** The deployment's `SPECKIT_AMQP_PREFIX`. Default `speckit`. */
  readonly prefix?: string | undefined;
  /** Shown in the broker's list of connections. Default `speckit requests`. */
  readonly name?: string;
  /**
   * Whether to declare the queue of requests where it is missing, so that a request may be published
   * before the first worker has started. Default true; false for a user who may only publish.
   */
  readonly declaresDoor?: boolean;
  /** How long a publish is tried, in milliseconds. Default 10 000. */
  readonly publishWithinMs?: number;
  /** Tests shorten it: how long to wait for a reply before asking again. Default 60 000. */
  readonly askAgainMs?: number;
  /** Default: says nothing. */
  readonly logger?: Logger;
}

/** Publishes run requests for another service. May be shared by everything in a process. */
export interface RunRequestPublisher extends AsyncDisposable {
  /**
   * Resolves when the broker has the request safely in the queue of the workers; they may still
   * refuse it. A request without a `runId` gets one, from its `idempotencyKey` where it has that, so
   * that a message sent twice is one run: what is not confirmed is sent again until
   * `publishWithinMs` is over.
   *
   * @returns the id of the run there will be
   * @throws SpeckitError `REQUEST_INVALID`, `REPOSITORY_INVALID` or `REQUEST_TOO_LARGE` before
   *   anything is sent; `BROKER_UNAVAILABLE` when the request was not confirmed or reached no queue
   *   (it may have arrived all the same: publish it again with the same `runId` or
   *   `idempotencyKey`); `SERVICE_REFUSED`, `TOPOLOGY_CONFLICT`
   */
  readonly publish: (request: RunRequest) => Promise<{ readonly runId: string }>;
  /**
   * Publishes a request and resolves with the result when the run has ended, whatever its outcome. A
   * lost connection is waited out, and a reply that does not come is asked for again.
   *
   * @param options `timeoutMs`: how long to wait for the result, default one hour
   * @throws SpeckitError as `publish`; the code of the refusal when a worker refuses the request;
   *   `RESULT_NOT_IN_TIME`: the run goes on
   */
  readonly request: (
    request: RunRequest,
    options?: { readonly timeoutMs?: number },
  ) => Promise<RunResult>;
}

/**
 * Opens one connection to the broker, which comes back by itself. Does not wait for it: publishing
 * does.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`
 */
export async function openRunRequestPublisher(
  options: RunRequestPublisherOptions,
): Promise<RunRequestPublisher> {
  const { prefix = "speckit", logger = silentLogger, declaresDoor = true } = options;
  const { publishWithinMs = PUBLISH_WITHIN_MS, askAgainMs = ASK_AGAIN_MS } = options;
  const address = brokerAddress(options.url);
  const door = publicDoorOf(topologyOf(prefix), prefix);
  /** Declared on every new connection: the reply queue joins when the first result is awaited. */
  const queues: QueueSpec[] = declaresDoor ? [...door.queues] : [];
  const connection = await openConnection({
    address,
    name: options.name ?? "speckit requests",
    topology: declaresDoor ? { ...door, queues } : { exchanges: [], queues, bindings: [] },
    notice: waitingNotice(address.description, logger),
    logger,
  });
  const publisher = confirmingPublisher({
    connection,
    description: address.description,
    logger,
    confirmWithinMs: publishWithinMs,
  });
  const stopping = new AbortController();
  const send = requestSender({
    publisher,
    prefix,
    withinMs: publishWithinMs,
    stopping: stopping.signal,
  });
  let opening: Promise<ReplyInbox> | undefined;
  let opened: ReplyInbox | undefined;

  async function openInbox(): Promise<ReplyInbox> {
    const spec = replyQueue(prefix);
    queues.push(spec);
    try {
      await connection.connected;
      await connection.repair(performance.now());
      opened = await openReplyInbox({ queue: spec.name, connection, logger });
      return opened;
    } catch (error) {
      // Left in, a queue we may not declare would end every later connection.
      queues.splice(queues.indexOf(spec), 1);
      opening = undefined;
      throw error;
    }
  }

  /** Opened by the first who needs it, and kept; who cannot wait any longer leaves it to the next. */
  async function theInbox(): Promise<ReplyInbox> {
    opening ??= openInbox();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(unavailable(`${address.description} is not connected`)),
      publishWithinMs,
    );
    try {
      return await Promise.race([opening, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async publish(wanted) {
      const message = requestMessage(wanted);
      await send(message);
      return { runId: message.runId };
    },
    async request(wanted, { timeoutMs = RESULT_WITHIN_MS } = {}) {
      const message = requestMessage(wanted);
      const inbox = await theInbox();
      using replies = inbox.await(message.runId);
      await send(message, inbox.queue);
      return await awaitResult(replies, {
        runId: message.runId,
        timeoutMs,
        askAgainMs,
        askAgain: () =>
          send(message, inbox.queue).catch((error: unknown) => {
            logger.warn("not asked again yet", { runId: message.runId, error: String(error) });
          }),
      });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await publisher.stop();
      await opened
        ?.close(unavailable(`This process stops publishing to ${address.description}`))
        .catch(() => {});
      await connection.close();
    },
  };
}
