import type { Dependencies } from "./dependencies.ts";

/** So much more than the floor must be free before new runs are begun again: no going back and forth. */
const ENOUGH = 1.1;
const MIB = 1_024 ** 2;

export interface FreeSpaceWatch {
  /** Looks once, and pauses or goes on as it finds. Never rejects. */
  readonly look: () => Promise<void>;
  /** Why no new run is begun, for people; undefined: they are. */
  readonly shortOf: () => string | undefined;
}

/**
 * Keeps a worker from beginning runs on a volume that is nearly full. Runs that were begun go on:
 * they need the rest.
 *
 * @param makeRoom deletes what may be deleted; called before a pause
 * @param onChange told when new runs are wanted no more, and when they are again
 */
export function watchFreeSpace(
  deps: Pick<Dependencies, "freeSpace" | "settings" | "metrics" | "logger">,
  makeRoom: () => Promise<unknown>,
  onChange: (takesNew: boolean) => void,
): FreeSpaceWatch {
  const { freeSpace, logger, metrics } = deps;
  const floor = deps.settings.freeBytesFloor;
  let short: string | undefined;

  async function measure(): Promise<number> {
    const free = (await freeSpace?.()) ?? Number.POSITIVE_INFINITY;
    if (Number.isFinite(free)) {
      metrics?.gauge("state_free_bytes", free, {});
    }
    return free;
  }

  async function look(): Promise<void> {
    let free = await measure();
    if (short === undefined && free < floor) {
      await makeRoom();
      free = await measure();
    }
    const text = `space in the state folder: ${inMib(free)} are free, the floor is ${inMib(floor)}`;
    if (free < floor) {
      if (short === undefined) {
        logger.warn("the state folder is nearly full: no new run is begun", { free, floor });
        metrics?.count("intake_pauses", {});
        onChange(false);
      }
      short = text;
    } else if (short !== undefined && free >= floor * ENOUGH) {
      logger.info("there is space in the state folder: new runs are begun again", { free, floor });
      short = undefined;
      onChange(true);
    } else if (short !== undefined) {
      short = text;
    }
  }

  return {
    look: () =>
      look().catch((error: unknown) => {
        logger.warn("free space not known, the next look tries again", { error: String(error) });
      }),
    shortOf: () => short,
  };
}

function inMib(bytes: number): string {
  return `${Math.floor(bytes / MIB)} MiB`;
}
