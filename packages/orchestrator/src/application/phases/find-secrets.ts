import type { Finding } from "../../domain/failure.ts";
import type { PublishLimits } from "../../domain/publish-policy/publish-policy.ts";
import type { CommittedChange, StoredContent } from "../../domain/publish-policy/run-changes.ts";
import type { RunChanges } from "../../ports/git-workspace.ts";
import type { SecretFound, SecretScanner } from "../../ports/secret-scanner.ts";

/** Contents held in memory at once. */
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Secrets that the run's commits bring in: everything each of them adds or changes is looked at, also
 * what a later one takes back. What stood in the same file before is not the run's doing. A finding
 * names path, line and rule, never the secret.
 *
 * Files over the limits are left out: the run is refused for them anyway.
 */
export async function findSecrets(
  scanner: SecretScanner,
  { changes, read }: RunChanges,
  limits: PublishLimits,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings = new Map<string, Finding>();
  for (const batch of batches(changes, limits)) {
    const contents = await read(
      batch.map(({ after }) => after),
      signal,
    );
    for (const change of batch) {
      signal.throwIfAborted();
      const found = await scanner.scan(change.path, textOf(contents, change.after));
      for (const one of await newOnes(found, change, { read, limits, signal })) {
        const finding = findingOf(one, change);
        findings.set(`${one.rule} ${one.secret} ${change.path}`, finding);
      }
    }
  }
  return [...findings.values()];
}

type Scanned = CommittedChange & { readonly after: StoredContent };

function* batches(
  changes: readonly CommittedChange[],
  { maxFileBytes, maxTotalBytes }: PublishLimits,
): Generator<readonly Scanned[]> {
  const seen = new Set<string>();
  let batch: Scanned[] = [];
  let [bytes, total] = [0, 0];
  for (const change of changes) {
    const { after, path } = change;
    if (after === null || after.bytes > maxFileBytes || seen.has(`${after.id} ${path}`)) {
      continue;
    }
    seen.add(`${after.id} ${path}`);
    total += after.bytes;
    if (total > maxTotalBytes) {
      break;
    }
    if (bytes + after.bytes > BATCH_BYTES && batch.length > 0) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push({ ...change, after });
    bytes += after.bytes;
  }
  if (batch.length > 0) {
    yield batch;
  }
}

/** Without what the file held before the commit. */
async function newOnes(
  found: readonly SecretFound[],
  { before }: CommittedChange,
  {
    read,
    limits,
    signal,
  }: Pick<RunChanges, "read"> & { readonly limits: PublishLimits; readonly signal: AbortSignal },
): Promise<readonly SecretFound[]> {
  if (found.length === 0 || before === null || before.bytes > limits.maxTotalBytes) {
    return found;
  }
  const old = textOf(await read([before], signal), before);
  return found.filter(({ secret }) => !old.includes(secret));
}

function findingOf({ rule, line }: SecretFound, { path, commit }: CommittedChange): Finding {
  return {
    check: "publish.secret",
    path,
    expected: "no secret",
    found: `what looks like one on line ${line} of commit ${commit.slice(0, 12)} (${rule})`,
  };
}

function textOf(contents: ReadonlyMap<string, Uint8Array>, { id }: StoredContent): string {
  return new TextDecoder().decode(contents.get(id));
}
