import { join } from "node:path";
import { checkKeyFile } from "./check-key-file.ts";

/** How commits are signed. */
export type CommitSigning =
  | {
      readonly kind: "ssh";
      /** Absolute path of a private key without a passphrase. */
      readonly keyFile: string;
    }
  | {
      readonly kind: "gpg";
      /** As `gpg --local-user` takes it, best a whole fingerprint; its key has no passphrase. */
      readonly key: string;
    };

/** What a git command that signs is given besides. */
export interface SigningCommand {
  readonly config: readonly (readonly [string, string])[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Nobody is asked for a passphrase: a key that has one fails.
 *
 * @param machine GnuPG's folder is its `GNUPGHOME`, else `.gnupg` in its `HOME`
 * @throws SpeckitError `CONFIGURATION_INVALID` for an ssh key that cannot be read, or that others may read
 */
export async function signingCommand(
  signing: CommitSigning,
  machine: Readonly<Record<string, string | undefined>>,
): Promise<SigningCommand> {
  switch (signing.kind) {
    case "ssh":
      await checkKeyFile(signing.keyFile);
      return {
        config: [
          ["gpg.format", "ssh"],
          ["user.signingKey", signing.keyFile],
        ],
        env: { SSH_ASKPASS: "false", SSH_ASKPASS_REQUIRE: "force" },
      };
    case "gpg":
      return {
        config: [
          ["gpg.format", "openpgp"],
          ["user.signingKey", signing.key],
        ],
        env: { GNUPGHOME: machine.GNUPGHOME || join(machine.HOME || "/nonexistent", ".gnupg") },
      };
  }
}
