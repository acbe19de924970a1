import { Refusal } from "./refusal.mjs";
import { tail } from "./run-quietly.mjs";

const unreachable =
  /\b(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|ENETWORK)\b|dns error|error sending request|tcp connect error/i;

/** What to tell someone whose npm or pnpm run failed: the network and the disk are theirs to mend, the rest is shown. */
export function registryFailure(what, output, logPath) {
  const network = unreachable.exec(output);
  if (network) {
    return new Refusal(
      `${what} failed: the npm registry cannot be reached (${network[0]}). Check the network, the proxy variables and ` +
        "`npm config get registry`, then run this again; it goes on where it stopped.",
      75,
    );
  }
  const disk = /\b(ENOSPC|EACCES|EROFS|EPERM)\b/.exec(output);
  if (disk) {
    return new Refusal(
      `${what} failed: ${disk[0]}. Check the disk's free space and the checkout's owner. See ${logPath}`,
    );
  }
  if (output.includes("OUTDATED_LOCKFILE")) {
    return new Refusal(
      "pnpm-lock.yaml does not match a package.json. Run `pnpm install` and commit the lockfile.",
    );
  }
  return new Refusal(`${what} failed:\n${tail(output)}\nAll of it: ${logPath}`);
}
