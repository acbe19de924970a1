import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ExitCode, SpeckitError } from "@speckit/orchestrator";
import { openSession } from "../../open-session.ts";
import { visible } from "../../output/visible.ts";

interface Options {
  readonly to?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/**
 * `speckit artifacts download`: copies artifacts into a folder. Each gets its name when all of it is
 * there and is what is on record. What is there already stays, unless `--force` is given; that is
 * looked at before anything is written.
 */
export async function artifactsDownloadCommand(
  runId: string,
  names: readonly string[],
  options: Options,
): Promise<ExitCode> {
  await using session = await openSession(options);
  const { orchestrator } = session;
  const folder = resolve(options.to ?? runId);
  const { artifacts, deletedAt } = await orchestrator.artifacts(runId);
  if (deletedAt !== null) {
    throw new SpeckitError(
      "ARTIFACTS_EXPIRED",
      `The artifacts of run ${runId} were deleted at ${deletedAt.toISOString()}`,
    );
  }
  const known = artifacts.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SpeckitError("ARTIFACT_NOT_FOUND", `Run ${runId} has no artifact ${unknown}`);
  }
  const files = (names.length === 0 ? known : [...new Set(names)]).map((name) => ({
    name,
    path: pathOf(folder, name),
  }));
  if (options.force !== true) {
    for (const { path } of files) {
      await refuseExisting(path);
    }
  }
  for (const { name, path } of files) {
    await write(orchestrator.artifact(runId, name), path);
    process.stderr.write(`${visible(relative(process.cwd(), path))}\n`);
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ runId, folder, files })}\n`);
  }
  return 0;
}

/** Names come from the database: whoever can write there must not choose where files go here. */
function pathOf(folder: string, name: string): string {
  const path = join(folder, name);
  if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw new SpeckitError("INTERNAL_ERROR", `The artifact ${name} would leave ${folder}`);
  }
  return path;
}

async function refuseExisting(path: string): Promise<void> {
  const isThere = await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") {
        return false;
      }
      throw error;
    },
  );
  if (isThere) {
    throw new SpeckitError("FILE_EXISTS", `${path} is there already`);
  }
}

async function write(content: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const writing = join(dirname(path), `.speckit-${randomUUID()}`);
  try {
    await pipeline(Readable.from(content), createWriteStream(writing, { flags: "wx" }));
    await rename(writing, path);
  } catch (error) {
    await rm(writing, { force: true });
    throw error;
  }
}
