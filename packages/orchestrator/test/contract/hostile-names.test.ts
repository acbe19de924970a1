import { describe, expect, test } from "vitest";
import { parseRunRequest } from "../../src/contract/index.ts";
import { isSpeckitError } from "../../src/domain/speckit-error.ts";
import { minimal } from "./refusal.ts";

/** What somebody might send to make a program do something else than it says. */
const HOSTILE: Readonly<Record<string, string>> = {
  "an option with a value": "--upload-pack=touch /tmp/x",
  "an option": "-x",
  "an option behind a slash": "a/-x",
  "a step up": "../../etc/passwd",
  "a range": "a..b",
  "a revision": "a@{1}",
  "a lock file": "a.lock",
  spaces: "a b",
  "a newline": "a\nb",
  "a carriage return": "a\rb",
  "a NUL": "a\u0000b",
  "an escape sequence": "a\u001b]0;b\u0007",
  "a C1 escape": "a\u009b31m",
  "a command": "$(id)",
  "a command in back quotes": "`id`",
  "two commands": "a;id",
  "300 bytes": "x".repeat(300),
  "full-width letters": "\uff4d\uff41\uff49\uff4e",
  "a Cyrillic letter in a Latin word": "m\u0430in",
  "a direction mark": "a\u202eb",
  "a letter of no width": "a\u200bb",
  "a lone surrogate": "a\ud800",
  "a device of Windows": "CON",
  "a device with an extension": "nul.txt",
  "a prototype": "__proto__",
  nothing: "",
};

const isRefused = (fields: object): boolean => {
  try {
    parseRunRequest({ ...minimal, ...fields });
    return false;
  } catch (error) {
    expect(isSpeckitError(error) ? error.class : error).toBe("bad_message");
    return true;
  }
};

/** Fields whose text becomes an argument, a path or a name of something, with a hostile text in them. */
const NAMES: Readonly<Record<string, (text: string) => object>> = {
  repository: (repository) => ({ repository }),
  "repository's owner": (owner) => ({ repository: `${owner}/shop` }),
  "repository's host": (host) => ({ repository: `https://${host}/shop` }),
  "repository's ssh user": (user) => ({ repository: `ssh://${user}@example.org/shop` }),
  branch: (branch) => ({ branch }),
  baseBranch: (baseBranch) => ({ baseBranch }),
  featureDirectory: (featureDirectory) => ({ featureDirectory }),
  "featureDirectory's name": (name) => ({ featureDirectory: `specs/001-${name}` }),
  projectDirectory: (projectDirectory) => ({ projectDirectory }),
  "agent.backend": (backend) => ({ agent: { backend } }),
  phases: (phase) => ({ phases: [phase] }),
  runId: (runId) => ({ runId }),
  onQuestions: (onQuestions) => ({ onQuestions }),
};

/** Harmless where they stand: an allow-list is by what is in a name, and these are made of letters. */
const FINE: readonly string[] = [
  "branch: a prototype",
  "baseBranch: a prototype",
  "projectDirectory: a prototype",
  // Names of accounts and hosts are GitHub's and DNS's to give out.
  "repository's owner: 300 bytes",
  "repository's owner: a device of Windows",
  "repository's owner: a device with an extension",
  "repository's owner: a prototype",
  "repository's owner: a lock file",
  "repository's owner: a range",
  // An absolute path: the deployment's allow-list says which.
  "repository's owner: nothing",
  "repository's host: 300 bytes",
  "repository's host: a device of Windows",
  "repository's host: a device with an extension",
  "repository's host: a lock file",
  "repository's host: a range",
  "repository's ssh user: 300 bytes",
  "repository's ssh user: a device of Windows",
  "repository's ssh user: a device with an extension",
  "repository's ssh user: a lock file",
  "repository's ssh user: a range",
  "repository's ssh user: a prototype",
];

describe("F38: hostile names", () => {
  test.each(Object.entries(NAMES))("in %s are refused", (field, requestWith) => {
    const accepted = Object.entries(HOSTILE)
      .filter(([, text]) => !isRefused(requestWith(text)))
      .map(([what]) => `${field}: ${what}`);
    expect(accepted.filter((name) => !FINE.includes(name))).toEqual([]);
    // The exceptions are true ones, or the list rots.
    expect(
      FINE.filter((name) => name.startsWith(`${field}: `) && !accepted.includes(name)),
    ).toEqual([]);
  });

  test.each(["specifyText", "idempotencyKey", "externalRef"] as const)(
    "in %s are only text, kept as it came; what cannot be stored is refused",
    (field) => {
      for (const [what, text] of Object.entries(HOSTILE)) {
        const cannotBeStored = text.includes("\u0000") || !text.isWellFormed() || text === "";
        const isTooLong = field === "idempotencyKey" && text.length > 200;
        expect(isRefused({ [field]: text }), what).toBe(cannotBeStored || isTooLong);
        if (!cannotBeStored && !isTooLong) {
          expect(parseRunRequest({ ...minimal, [field]: text })[field]).toBe(text);
        }
      }
    },
  );
});
