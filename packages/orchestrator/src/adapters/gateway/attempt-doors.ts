import { watch as watchFolder } from "node:fs";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  ATTEMPT_FOLDERS,
  attemptOfFolder,
  GATEWAY_SOCKET,
  SERVED_FILE,
  type ServedFolders,
} from "../../domain/attempt-folder.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import type { HttpDoor } from "./http-door.ts";
import { removeStaleSocket } from "./stale-socket.ts";

/** New folders are told by the kernel; where it cannot, they are seen by this. */
const LOOK_MS = 1_000;
/** Between its folder and its container a worker uploads a workspace, and no attempt is live so long. */
const NEVER_LIVE_MS = 3_600_000;
/** Everybody may connect: the jobs' user is another than ours, and who sees a folder is its job. */
const SOCKET_MODE = 0o666;
/** Of Linux, for a socket's path in bytes. */
const MAX_PATH_BYTES = 107;

export interface AttemptDoorsOptions {
  /** The gateway's own socket: the folders are in its folder. */
  readonly socketPath: string;
  /** Opens a door whose requests are the attempt's. */
  readonly open: (socketPath: string, owner: JobName) => Promise<HttpDoor>;
  readonly isLive: (name: JobName) => Promise<"live" | "not_live" | "unsure">;
  /** How often each attempt is asked for, in milliseconds. */
  readonly recheckMs: number;
  /** After how long the folder of an attempt that never was live is removed, in milliseconds. Default an hour. */
  readonly neverLiveMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Disposing it closes every door; the folders stay, for whoever serves next. */
export interface AttemptDoors extends AsyncDisposable {
  /** No new doors, and nothing new through those that are open. */
  readonly stopTaking: () => void;
}

interface Entry {
  readonly name: JobName;
  readonly door: HttpDoor;
  wasLive: boolean;
}

/**
 * A socket for each attempt, in the folder that a worker has made for it and that its job alone sees. So who asks is
 * known before any token is looked at, and a token of another attempt opens nothing.
 *
 * States of a folder:
 *
 *   made       by a worker, before there is a container. A door is opened in it at once.
 *   served     by one gateway at a time; another one of the same folder waits until the socket is free.
 *   over       the attempt was live (was found so, or somebody has connected) and is not any more, or never was
 *              within an hour: the door is closed, its connections cut, the folder removed.
 *
 * What happens when it is cut: this process dies, and its sockets stay as files that nobody listens at. The next one
 * finds the folders, and makes each socket anew in the same place; jobs see the folder, not the socket, and connect
 * anew with each call. A folder whose attempt has ended meanwhile is removed when it is an hour old.
 */
export async function attemptDoors(options: AttemptDoorsOptions): Promise<AttemptDoors> {
  const { open, isLive, recheckMs, neverLiveMs = NEVER_LIVE_MS, clock, logger } = options;
  const folder = join(dirname(options.socketPath), ATTEMPT_FOLDERS);
  const doors = new Map<string, Entry>();
  const told = new Set<string>();
  const over = new AbortController();

  await mkdir(folder, { recursive: true, mode: 0o755 });
  const served: ServedFolders = { v: 1, uid: process.getuid?.() ?? 0 };
  await writeFile(join(folder, SERVED_FILE), JSON.stringify(served));

  const openOne = async (name: string, owner: JobName): Promise<void> => {
    const path = join(folder, name, GATEWAY_SOCKET);
    try {
      if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
        throw new Error(`its path is longer than ${MAX_PATH_BYTES} bytes`);
      }
      await removeStaleSocket(path);
      const door = await open(path, owner);
      doors.set(name, { name: owner, door, wasLive: false });
      await chmod(path, SOCKET_MODE);
      told.delete(name);
    } catch (error) {
      // It is tried again: another gateway may still listen there.
      if (!told.has(name)) {
        told.add(name);
        logger.error("no socket for an attempt", { ...owner, path, error: String(error) });
      }
    }
  };

  const openNew = async (): Promise<void> => {
    const names = await readdir(folder);
    for (const name of names) {
      const owner = attemptOfFolder(name);
      if (owner !== undefined && !doors.has(name) && !over.signal.aborted) {
        await openOne(name, owner);
      }
    }
    for (const name of told) {
      if (!names.includes(name)) {
        told.delete(name);
      }
    }
  };

  const judge = async (name: string, entry: Entry): Promise<void> => {
    const found = await isLive(entry.name);
    if (found === "live") {
      entry.wasLive = true;
    }
    if (found !== "not_live" || over.signal.aborted) {
      return;
    }
    // Only a container that was started can have come through its door: then the attempt was live.
    if (entry.wasLive || entry.door.wasUsed() || (await ageMs(join(folder, name))) >= neverLiveMs) {
      doors.delete(name);
      await rm(join(folder, name), { recursive: true, force: true });
      await entry.door[Symbol.asyncDispose]();
    }
  };

  let opening: Promise<void> = Promise.resolve();
  /** One look at a time; one that is asked for meanwhile is another one. */
  const look = (): Promise<void> => {
    opening = opening.then(openNew).catch((error: unknown) => {
      if (!over.signal.aborted) {
        logger.error("attempts' folders not read", { folder, error: String(error) });
      }
    });
    return opening;
  };
  const judging = new Set<string>();
  const judgeAll = (): void => {
    for (const [name, entry] of doors) {
      if (!judging.has(name)) {
        judging.add(name);
        judge(name, entry)
          .catch((error: unknown) =>
            logger.error("an attempt's socket not closed", { ...entry.name, error: String(error) }),
          )
          .finally(() => judging.delete(name));
      }
    }
  };

  await look();
  const watcher = watchFolder(folder, () => void look());
  watcher.on("error", (error) =>
    logger.warn("attempts' folders not watched", { error: String(error) }),
  );
  const keep = async (): Promise<void> => {
    for (let judgedMs = clock.monotonicMs(); !over.signal.aborted; ) {
      await clock.sleep(Math.min(LOOK_MS, recheckMs), over.signal);
      if (over.signal.aborted) {
        return;
      }
      await look();
      if (clock.monotonicMs() - judgedMs >= recheckMs) {
        judgedMs = clock.monotonicMs();
        judgeAll();
      }
    }
  };
  const keeping = keep();

  const stopTaking = (): void => {
    watcher.close();
    over.abort();
    for (const { door } of doors.values()) {
      door.stopTaking();
    }
  };
  return {
    stopTaking,
    async [Symbol.asyncDispose]() {
      stopTaking();
      await Promise.all([keeping, opening]);
      await Promise.all([...doors.values()].map(({ door }) => door[Symbol.asyncDispose]()));
    },
  };
}

/** By the kernel's clock, which has made it. */
async function ageMs(path: string): Promise<number> {
  const made = await stat(path).catch(() => undefined);
  return made === undefined ? Number.POSITIVE_INFINITY : Date.now() - made.birthtimeMs;
}
