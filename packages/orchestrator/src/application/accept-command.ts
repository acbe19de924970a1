import { parseRunCommandBytes } from "../contract/parse-run-command.ts";
import type { CommandResult } from "../contract/run-command.ts";
import { failureOf, isSpeckitError } from "../domain/speckit-error.ts";
import type { RequestDelivery, RequestVerdict } from "../ports/transport.ts";
import { applyCommand } from "./apply-command.ts";
import type { Dependencies } from "./dependencies.ts";
import { rejectDelivery, tell } from "./reject-delivery.ts";
import { untilAvailable } from "./until-available.ts";

/**
 * A command through the public door: taken, refused by the run's state (which is answered, and
 * nothing is kept: it changed nothing), or no command at all (kept with its reason). While the
 * database is away it stays in hand.
 */
export async function acceptCommand(
  deps: Dependencies & { readonly deploymentId: string },
  delivery: RequestDelivery,
  signal: AbortSignal,
): Promise<RequestVerdict> {
  try {
    const command = parseRunCommandBytes(delivery.body);
    const { commandId, runId, command: name } = command;
    const answer = async (result: Omit<CommandResult, "commandId" | "runId">) => {
      const { replyTo, correlationId } = delivery;
      if (replyTo !== undefined) {
        await tell(deps, () =>
          deps.transport.publishReply(replyTo, correlationId, { commandId, runId, ...result }),
        );
      }
    };
    try {
      const { newRunId } = await untilAvailable(deps, signal, () => applyCommand(deps, command));
      deps.logger.info("command taken", { runId, command: name, commandId });
      deps.metrics?.count("commands", { became: "taken" });
      await answer({ status: "accepted", ...(newRunId === undefined ? {} : { newRunId }) });
    } catch (error) {
      if (!isSpeckitError(error) || error.class !== "permanent") {
        throw error;
      }
      deps.logger.warn("command refused", { runId, command: name, code: error.code });
      deps.metrics?.count("commands", { became: "refused" });
      await answer({ status: "refused", failure: failureOf(error) });
    }
    return { do: "ack" };
  } catch (error) {
    if (signal.aborted && (!isSpeckitError(error) || error.class !== "bad_message")) {
      return { do: "leave" };
    }
    return rejectDelivery(deps, delivery, failureOf(error));
  }
}
