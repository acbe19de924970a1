import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { rowsOf } from "./oracle/rows.ts";

const HOUR_S = 3_600;

export interface PlacedAttempt {
  readonly runId: string;
  /** For its model calls. */
  readonly token: string;
}

/**
 * An attempt in a container as its worker leaves one: rows, and a token signed with a key whose public
 * half is with them.
 */
export async function placeAttempt(databaseUrl: string): Promise<PlacedAttempt> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const tokenKey = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const run = randomUUID();
  await rowsOf(
    databaseUrl,
    `INSERT INTO spec_workflow_runs
       (id, request, request_hash, repository, git_remote, branch, agent, pipeline, epoch)
     VALUES ($1, '{}', 'x', 'owner/name', 'https://host.invalid/owner/name.git', $2, 'codex',
       '{prepare,specify}', 1)`,
    [run, run],
  );
  await rowsOf(
    databaseUrl,
    `INSERT INTO spec_workflow_task_states
       (run_id, phase, attempt, state, epoch, started_at, engine_id, container_id, token_key)
     VALUES ($1, 'specify', 1, 'running', 1, clock_timestamp(), 'bench', 'bench', $2)`,
    [run, tokenKey],
  );
  const [row] = await rowsOf<{ id: string }>(
    databaseUrl,
    "SELECT spec_workflow_gateway_deployment() AS id",
  );
  const claims = {
    ...{ iss: row?.id, aud: "speckit-gateway", exp: Math.floor(Date.now() / 1_000) + HOUR_S },
    ...{ run, phase: "specify", attempt: 1, use: "model", limits: {} },
  };
  const text = [{ alg: "EdDSA", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = sign(null, Buffer.from(text), privateKey).toString("base64url");
  return { runId: run, token: `${text}.${signature}` };
}
