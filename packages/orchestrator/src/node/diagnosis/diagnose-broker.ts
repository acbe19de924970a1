import { DEFAULT_SETTINGS } from "../../application/settings.ts";
import { type Diagnosis, notLookedAt } from "../../ports/diagnosis.ts";
import type { OrchestratorConfig } from "../config.ts";
import { lookWithin } from "./look-within.ts";

/** The fleet's broker; nothing where there is none. Its library is loaded only where there is one. */
export async function diagnoseBroker(
  { amqpUrl: url, amqpPrefix: prefix, settings }: OrchestratorConfig,
  { isLeftOut }: { readonly isLeftOut: boolean },
): Promise<readonly Diagnosis[]> {
  if (isLeftOut) {
    return [notLookedAt("broker.connection", "its configuration cannot be used")];
  }
  if (url === undefined) {
    return [];
  }
  const { holdMs, phaseDeadlineMs } = { ...DEFAULT_SETTINGS, ...settings };
  return lookWithin("broker.connection", async () => {
    const { diagnoseRabbitmq } = await import(
      "../../adapters/rabbitmq/diagnosis/diagnose-rabbitmq.ts"
    );
    return diagnoseRabbitmq({ url, prefix, heldMs: holdMs + phaseDeadlineMs });
  });
}
