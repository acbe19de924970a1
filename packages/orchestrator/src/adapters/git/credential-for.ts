import type {
  GitCredential,
  GitCredentialSource,
  GitCredentialUse,
} from "../../ports/git-credentials.ts";
import { type CheckedRemote, httpsHost } from "./checked-remote.ts";

/** The credential for exactly this remote's host, if there is one: by https alone. */
export async function credentialFor(
  source: GitCredentialSource,
  { transport, gitRemote, host }: CheckedRemote,
  purpose: GitCredentialUse["purpose"],
  signal: AbortSignal,
): Promise<GitCredential | undefined> {
  if (transport !== "https") {
    return undefined;
  }
  const credential = await source.find({ gitRemote, host, purpose }, signal);
  return credential !== undefined && httpsHost(credential.host) === host ? credential : undefined;
}
