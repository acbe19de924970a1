/** A stop that was foreseen: its message says what failed and what to do, so no stack trace is shown. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode 1 failed, 75 try again, 78 this machine or its configuration lacks something
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Progress goes to stderr: stdout belongs to the program that is started. */
export function announce(line) {
  process.stderr.write(`speckit: ${line}\n`);
}

/** Runs a script's body and turns whatever it throws into one message and an exit code. */
export async function runScript(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    announce(explain(error));
    process.exitCode = error instanceof Refusal ? error.exitCode : 1;
  }
}

/** A full disk or a read-only folder is foreseen too; anything else is our bug and keeps its stack. */
export function explain(error) {
  if (error instanceof Refusal) return error.message;
  if (error?.code && error?.syscall) {
    return `${error.syscall} ${error.path ?? ""} failed: ${error.code}. Check the disk and the folder's owner, then run this again.`;
  }
  return `unexpected: ${error?.stack ?? error}`;
}
