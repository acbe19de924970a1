/** How much of the end of stderr is told with a job's exit. */
export const STDERR_TAIL_BYTES = 16 * 1024;
