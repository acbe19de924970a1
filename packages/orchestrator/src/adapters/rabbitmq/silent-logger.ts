import type { Logger } from "../../ports/logger.ts";

const nothing = () => {};

/** For programs that have no log of ours: what matters comes as a rejection. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  with: () => silentLogger,
};
