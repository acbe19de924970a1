import { expect, test } from "vitest";
import { SecretRegistry } from "../../../src/adapters/winston/secret-registry.ts";

test("what is added later is masked in every form, beside what was known from the start", () => {
  const secrets = new SecretRegistry(["from-the-start"]);
  const basic = Buffer.from("x-access-token:ghs_minted").toString("base64");
  expect(secrets.mask(`ghs_minted ${basic}`)).toContain("ghs_minted");
  secrets.add("ghs_minted");
  expect(secrets.mask("from-the-start ghs_minted")).toBe("[redacted] [redacted]");
  expect(secrets.mask(basic)).toMatch(/\[redacted\]/);
});

test("a secret that begins with another one is masked as a whole, in either order", () => {
  const secrets = new SecretRegistry(["secret"]);
  secrets.add("secret-more");
  expect(secrets.mask("a secret-more b secret")).toBe("a [redacted] b [redacted]");
});

test("only the newest learned secrets are kept, and one that comes again is new", () => {
  const secrets = new SecretRegistry(["fixed-one"], 2);
  for (const secret of ["minted-1", "minted-2", "minted-1", "minted-3"]) {
    secrets.add(secret);
  }
  expect(secrets.mask("fixed-one minted-1 minted-2 minted-3")).toBe(
    "[redacted] [redacted] minted-2 [redacted]",
  );
});
