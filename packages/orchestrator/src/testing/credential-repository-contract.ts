import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CredentialRepository } from "../ports/credential-repository.ts";

export interface CredentialRepositoryUnderTest extends AsyncDisposable {
  readonly credentials: CredentialRepository;
  /** Makes this much time pass for all that is stored. */
  readonly passTime: (ms: number) => Promise<void>;
}

/** What the application relies on of credentials and their cool-downs, as Vitest tests. */
export function describeCredentialRepository(
  name: string,
  open: () => Promise<CredentialRepositoryUnderTest>,
): void {
  describe(`CredentialRepository: ${name}`, () => {
    let under: CredentialRepositoryUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    const restMs = (credential = "codex") => under.credentials.coolingForMs(credential);

    test("a credential that nobody has cooled may be used", async () => {
      expect(await restMs()).toBe(0);
    });

    test("a cool-down ends by itself when its time is over", async () => {
      await under.credentials.coolDown("codex", 20_000, "rate_limited");
      const left = await restMs();
      expect(left).toBeGreaterThan(10_000);
      expect(left).toBeLessThanOrEqual(20_000);
      await under.passTime(10_000);
      expect(await restMs()).toBeLessThanOrEqual(10_000);
      expect(await restMs()).toBeGreaterThan(0);
      await under.passTime(10_000);
      expect(await restMs()).toBe(0);
    });

    test("a shorter cool-down takes nothing from a longer one, a longer one adds to it", async () => {
      await under.credentials.coolDown("codex", 60_000, "quota");
      await under.credentials.coolDown("codex", 1_000, "rate_limited");
      expect(await restMs()).toBeGreaterThan(50_000);
      await under.credentials.coolDown("codex", 90_000, "rate_limited");
      expect(await restMs()).toBeGreaterThan(80_000);
      await under.passTime(90_000);
      await under.credentials.coolDown("codex", 5_000, "rate_limited");
      const left = await restMs();
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(5_000);
    });

    test("each credential has a cool-down of its own", async () => {
      await under.credentials.coolDown("codex", 60_000, "quota");
      expect(await restMs("other")).toBe(0);
    });

    test("of many at once the longest holds", async () => {
      const asked = Array.from({ length: 10 }, (_, ix) => (ix + 1) * 10_000);
      await Promise.all(asked.map((ms) => under.credentials.coolDown("codex", ms, "rate_limited")));
      expect(await restMs()).toBeGreaterThan(90_000);
    });
  });
}
