import { randomBytes } from "node:crypto";
import { importSPKI, jwtVerify } from "jose";
import { invalid, type MockAnswer, ok, refused } from "../answer.ts";
import type { Answers } from "../answers.ts";
import type { MockApp, MockState } from "../state.ts";

/** GitHub's longest, and some for clocks that differ. */
const LONGEST_JWT_SECONDS = 600 + 60;

/**
 * The App whose JWT this is, checked as GitHub does: RS256 by its key, issued in the past, at most ten
 * minutes long.
 */
export async function appOf(state: MockState, token: string): Promise<MockApp | MockAnswer> {
  try {
    const [, payload = ""] = token.split(".");
    const { iss } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { iss?: unknown };
    const app = state.apps.get(String(iss));
    if (app === undefined) {
      return refused(401, "Integration must generate a public key");
    }
    const key = await importSPKI(app.publicKey, "RS256");
    const verified = await jwtVerify(token, key, {
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat"],
    });
    const { exp = 0, iat = 0 } = verified.payload;
    return exp - iat > LONGEST_JWT_SECONDS || iat > Date.now() / 1_000
      ? refused(401, "'Expiration time' claim ('exp') is too far in the future")
      : app;
  } catch {
    return refused(401, "A JSON web token could not be decoded");
  }
}

export function findInstallation(
  app: MockApp,
  answers: Answers,
  { owner = "", repo = "" }: Readonly<Record<string, string>>,
): MockAnswer {
  const full = `${owner}/${repo}`.toLowerCase();
  const installation = app.installations.find(({ repositories }) =>
    repositories.some((name) => name.toLowerCase() === full),
  );
  return installation === undefined
    ? refused(404, "Not Found")
    : ok(answers.installation(installation.id, app.appId));
}

export function mintToken(
  state: MockState,
  app: MockApp,
  id: number,
  body: Readonly<Record<string, unknown>>,
): MockAnswer {
  const installation = app.installations.find((one) => one.id === id);
  if (installation === undefined) {
    return refused(404, "Not Found");
  }
  if (installation.suspended) {
    return refused(403, "This installation has been suspended");
  }
  const { repositories: names, permissions = installation.permissions } = body as {
    repositories?: string[];
    permissions?: Readonly<Record<string, "read" | "write">>;
  };
  const isGranted = Object.entries(permissions).every(
    ([name, access]) =>
      installation.permissions[name] === "write" || installation.permissions[name] === access,
  );
  if (!isGranted) {
    return refused(422, "The permissions requested are not granted to this installation.");
  }
  const repositories = installation.repositories.filter(
    (full) => names === undefined || names.includes(full.split("/")[1] ?? ""),
  );
  if (names !== undefined && repositories.length < names.length) {
    return invalid([{ resource: "Installation", field: "repositories", code: "invalid" }]);
  }
  const token = `ghs_${randomBytes(18).toString("hex")}`;
  const expiresAtMs = Date.now() + 3_600_000;
  state.tokens.set(token, {
    kind: "installation",
    login: "speckit[bot]",
    repositories,
    permissions,
    expiresAtMs,
  });
  return ok({ token, expires_at: new Date(expiresAtMs).toISOString(), permissions }, 201);
}
