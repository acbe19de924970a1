import { join } from "node:path";
import { type MockModel, type Scenario, startMockModel } from "@speckit/mock-model";
import { placeAttempt } from "@speckit/testkit/program";
import type { Bench } from "../bench.ts";
import { benchDatabase } from "../bench-database.ts";
import type { PROVIDERS } from "./call-model.ts";
import { type GatewayDaemon, startGatewayDaemon } from "./gateway-daemon.ts";

/** The gateway's process on a database of its own, before a mock model in this process. */
export interface GatewaySubject extends AsyncDisposable {
  readonly gateway: GatewayDaemon;
  readonly baseUrls: Readonly<Record<(typeof PROVIDERS)[number], string>>;
  /** A token of an attempt of its own. */
  readonly attempt: () => Promise<string>;
}

export async function openGatewaySubject(
  { services }: Bench,
  name: string,
  scenario: string | Scenario,
): Promise<GatewaySubject> {
  await using undo = new AsyncDisposableStack();
  const model: MockModel = undo.use(await startMockModel());
  const database = undo.use(await benchDatabase(services.serverUrl));
  const at = (provider: (typeof PROVIDERS)[number]) => model.baseUrl(scenario, provider);
  const baseUrls = { openai: at("openai"), anthropic: at("anthropic"), gemini: at("gemini") };
  const gateway = undo.use(
    await startGatewayDaemon({
      folder: join(services.folder, name),
      databaseUrl: database.url,
      baseUrls,
    }),
  );
  const owned = undo.move();
  return {
    gateway,
    baseUrls,
    attempt: async () => (await placeAttempt(database.url)).token,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
