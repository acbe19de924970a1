/** Broker, database and two workers that take work, with a sample repository they may push to. */
export interface Fleet {
  readonly amqpUrl: string;
  /** What the names of exchanges and queues begin with. */
  readonly prefix: string;
  /** As a request names it. */
  readonly repository: string;
  /** `git log --oneline` of a branch at the remote. */
  readonly logOf: (branch: string) => Promise<string>;
  /** SIGTERM to the workers, then their exit codes. */
  readonly drain: () => Promise<readonly (number | undefined)[]>;
}

/**
 * @param folder an existing one of its own
 * @param undo closes what was started
 * @param say tells people what there is, a line each
 */
export type OpenFleet = (
  folder: string,
  undo: AsyncDisposableStack,
  say: (line: string) => void,
) => Promise<Fleet>;
