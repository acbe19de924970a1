let isCarrying = false;
let isLost = false;

/**
 * Says what becomes of this process when its output is lost. A command that only prints ends: with
 * 0 when its reader has gone (`speckit list | head -1`), with 75 on a full disk. One that carries a
 * run goes on in silence: its end would be the agent's, and the run is told by `speckit status`.
 */
export function expectLostOutput(): void {
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const hasNoReader = error.code === "EPIPE";
    if (!isLost && !hasNoReader) {
      process.stderr.write(`speckit: stdout cannot be written: ${error.message}\n`);
    }
    isLost = true;
    if (!isCarrying) {
      process.exit(hasNoReader ? 0 : 75);
    }
  });
}

/** From here on this process carries a run, and does not end with its output. */
export function outliveOutput(): void {
  isCarrying = true;
}
