import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { JobName } from "../../ports/job-runtime.ts";
import type { ModelAttempt, ModelLimits } from "../../ports/model-gateway.ts";

const ALGORITHM = "EdDSA";
const AUDIENCE = "speckit-gateway";

/** Two machines' clocks may disagree by so much. */
const CLOCK_TOLERANCE_S = 30;

/** Signs the tokens of one process's attempts, with a key that dies with it. */
export interface AttemptTokenSigner {
  /** The public half, base64 of SPKI DER: stored with each attempt, for the gateway to look up. */
  readonly tokenKey: string;
  /** For the job's entry program: takes the start ticket, and asks whether the attempt is live. */
  readonly signStart: (attempt: JobName, ttlMs: number) => Promise<string>;
  /** For the agent: calls the model, within its limits. */
  readonly signModel: (attempt: ModelAttempt) => Promise<string>;
  /** For the agent: opens tunnels to what its phase may reach. */
  readonly signEgress: (attempt: JobName, ttlMs: number) => Promise<string>;
}

/**
 * Makes an Ed25519 key pair. A token names one attempt and is worth nothing anywhere else; none is
 * worth anything by its signature alone, since the attempt it names must be open.
 */
export function attemptTokenSigner(options: {
  readonly deploymentId: string;
  readonly now: () => Date;
}): AttemptTokenSigner {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const sign = ({ runId, phase, attempt }: JobName, claims: object, ttlMs: number) => {
    const seconds = options.now().getTime() / 1000;
    return (
      new SignJWT({ run: runId, phase, attempt, ...claims })
        .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
        .setIssuer(options.deploymentId)
        .setAudience(AUDIENCE)
        // No two are the same, so that the end of one is not the end of another.
        .setJti(randomUUID())
        .setIssuedAt(Math.floor(seconds))
        // Whole seconds, never early: who opened the access knows its end to the millisecond.
        .setExpirationTime(Math.ceil(seconds + ttlMs / 1000) + 1)
        .sign(privateKey)
    );
  };
  return {
    tokenKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    signStart: (attempt, ttlMs) => sign(attempt, { use: "start" }, ttlMs),
    signModel: (attempt) =>
      sign(attempt, { use: "model", limits: attempt.limits }, attempt.expiresInMs),
    signEgress: (attempt, ttlMs) => sign(attempt, { use: "egress" }, ttlMs),
  };
}

const TOKEN_USES = ["start", "model", "egress"] as const;
export type TokenUse = (typeof TOKEN_USES)[number];

/** What a token says of itself. Believed only when its signature was checked. */
export interface TokenClaims {
  readonly deploymentId: string;
  readonly attempt: JobName;
  readonly use: TokenUse;
  readonly limits: ModelLimits;
}

const claimsSchema = z.object({
  iss: z.string(),
  run: z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/),
  phase: z.string().regex(/^[a-z_]{1,64}$/),
  attempt: z.int32().positive(),
  use: z.enum(TOKEN_USES),
  limits: z
    .object({ tokensLeft: z.number().optional(), usdLeft: z.number().optional() })
    .default({}),
});

/** Reads a token without checking it. @returns undefined for what is none of ours by its form */
export function claimsOf(token: string): TokenClaims | undefined {
  try {
    const { iss, run, use, limits, phase, attempt } = claimsSchema.parse(decodeJwt(token));
    return { deploymentId: iss, attempt: { runId: run, phase, attempt }, use, limits };
  } catch {
    return undefined;
  }
}

/** Whether the key's other half has signed it, for this deployment's gateway, and its time is not over. */
export async function checkToken(
  token: string,
  key: KeyObject,
  options: { readonly deploymentId: string; readonly now: Date },
): Promise<"valid" | "expired" | "forged"> {
  try {
    await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: options.deploymentId,
      audience: AUDIENCE,
      currentDate: options.now,
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ["exp"],
    });
    return "valid";
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      return "expired";
    }
    if (error instanceof errors.JOSEError) {
      return "forged";
    }
    throw error;
  }
}
