/**
 * The keeper: a small program that ends an agent whose supervisor is gone.
 *
 * An agent is only allowed to run while its supervisor holds the run's lease. A supervisor can stop
 * in ways it cannot react to: `kill -9`, an OOM kill, SIGSTOP, a machine that stops scheduling it.
 * So the right to live is not taken away by the supervisor; it runs out, in another process:
 *
 * - File descriptor 3 of the keeper is one end of a pipe; the supervisor holds the other and nobody
 *   else does. Each line on it is the number of seconds to live from now.
 * - End of file: the supervisor is dead, however it died. The keeper ends the agent at once (exit 0).
 * - Nothing for as long as the last line allowed: the supervisor is frozen, or its lease is not being
 *   renewed. The keeper ends the agent (exit 70).
 * - The line `term` asks everything politely to end (SIGTERM); the supervisor then counts the grace.
 *
 * With a PID namespace the keeper is its first process, and this makes the rest simple: when it
 * ends, for whatever reason, the kernel kills everything in the namespace before anyone is told so.
 * Nothing escapes by setsid, a double fork or by ignoring signals, and the keeper itself ignores
 * every signal an agent could send it. `unshare --kill-child` ties it to `unshare`, so killing that
 * one process from outside kills the lot. The agent is not the keeper's child: the supervisor starts
 * it into the namespace (`nsenter`), so its exit code, signal and environment are told and given
 * exactly, without a shell in between. The keeper inherits orphans and has to bury them: bash does
 * so between two reads, therefore it looks up once a second instead of reading for the whole time.
 *
 * Without a PID namespace the keeper is an ordinary process beside the agent and kills the agent's
 * process group. What moved to a group of its own (setsid) survives: `RuntimeReport.contained` is
 * false there.
 *
 * What is left: the time to live counts from when the line is read. On a machine that was suspended
 * as a whole, lines still in the pipe are read after it wakes up and grant their seconds then; the
 * supervisor's own writes are fenced by the database in that case.
 *
 * `$1` seconds to live, `$2` what to kill: `-1` for everything (accepted from PID 1 alone) or
 * `-<process group>`. Only builtins, and nothing newer than bash 3.2 (macOS).
 */
export const KEEPER_SCRIPT = `
left=$1
target=$2
if [ "$target" = -1 ] && [ "$$" -ne 1 ]; then
  exit 64
fi
printf 'ready\\n'
while [ "$left" -gt 0 ]; do
  if IFS= read -r -t 1 -u 3 line; then
    case $line in
      term) kill -s TERM -- "$target" 2>/dev/null ;;
      *) left=$line ;;
    esac
  elif [ $? -gt 128 ]; then
    left=$((left - 1))
  else
    left=closed
    break
  fi
done
kill -s KILL -- "$target" 2>/dev/null
if [ "$left" = closed ]; then
  exit 0
fi
exit 70
`;

/** The keeper's exit code when the time to live ran out. */
export const RAN_OUT_EXIT_CODE = 70;

/**
 * Seconds the keeper may count for a time to live: rounded down, so that an agent is gone early
 * rather than late.
 */
export function keeperSeconds(ms: number): string {
  return String(Math.max(0, Math.floor(ms / 1000)));
}
