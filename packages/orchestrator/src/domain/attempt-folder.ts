/**
 * What a gateway and the workers that bring it jobs have agreed on about the folder of its socket:
 *
 * - `jobs/served.json`, the gateway's: it listens in the folders beside it, and they are to be its user's.
 * - `jobs/<run>-<phase>-<attempt>/`, made by a worker before it makes the attempt's container, which sees this
 *   folder alone. The gateway listens there at `gateway.sock`, and removes the folder when the attempt is over.
 */
export const ATTEMPT_FOLDERS = "jobs";
export const SERVED_FILE = "served.json";
export const GATEWAY_SOCKET = "gateway.sock";

/** Whose socket it is. */
export interface DoorOwner {
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
}

/** Of a served file: whom the folders are to belong to, as the gateway sees itself. */
export interface ServedFolders {
  readonly v: 1;
  readonly uid: number;
}

/** One name of one folder. */
export function attemptFolder({ runId, phase, attempt }: DoorOwner): string {
  return `${runId}-${phase}-${attempt}`;
}

/** @returns undefined for a name that is no attempt's */
export function attemptOfFolder(name: string): DoorOwner | undefined {
  const [, runId, phase, attempt] =
    /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([a-z_]{1,64})-([1-9]\d{0,8})$/.exec(name) ??
    [];
  return runId === undefined || phase === undefined
    ? undefined
    : { runId, phase, attempt: Number(attempt) };
}
