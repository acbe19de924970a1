import { describe, expect, test } from "vitest";
import {
  isRepositoryAllowed,
  parseRepository,
  type RepositoryAddress,
} from "../../src/domain/repository-address.ts";

function address(text: string): RepositoryAddress {
  const parsed = parseRepository(text);
  if ("problem" in parsed) {
    throw new Error(`${text}: ${parsed.problem}`);
  }
  return parsed;
}

describe("isRepositoryAllowed", () => {
  test.each([
    ["owner/name", "owner/name", true],
    ["owner/name", "Owner/Name", true],
    ["Owner/*", "owner/name", true],
    ["owner/*", "https://github.com/owner/name.git", true],
    ["https://github.com/owner/*", "owner/name", true],
    ["owner/*", "owner2/name", false],
    ["owner/name", "owner/name2", false],
    ["owner/name", "https://example.org/owner/name", false],
    ["https://example.org/*", "https://example.org/team/x", true],
    ["https://example.org/*", "https://EXAMPLE.org/team/x", true],
    ["https://example.org/team/*", "https://example.org/Team/x", false],
    ["https://example.org/*", "https://example.org.evil.example/x", false],
    ["https://example.org/*", "https://example.org:8443/x", false],
    ["https://example.org/*", "ssh://git@example.org/x", false],
    ["https://example.org/team/x", "https://example.org/team/x.git", true],
    ["git@example.org:*", "git@example.org:team/x", true],
    ["git@example.org:*", "git@example.org.evil.example:x", false],
    ["file:///srv/git/*", "/srv/git/x", true],
    ["file:///srv/git/*", "/srv/git", false],
    ["file:///srv/git/*", "/srv/other/x", false],
    ["*", "owner/name", true],
    ["*", "git@example.org:x", true],
    ["*", "/srv/git/x", false],
    ["", "owner/name", false],
    ["ow*er/name", "owner/name", false],
  ])("pattern %j and %s: %s", (pattern, text, allowed) => {
    expect(isRepositoryAllowed(address(text), [pattern])).toBe(allowed);
    expect(isRepositoryAllowed(address(text), ["someone/else", pattern])).toBe(allowed);
  });

  test("without a list every host is allowed, and no path of this machine", () => {
    expect(isRepositoryAllowed(address("owner/name"), undefined)).toBe(true);
    expect(isRepositoryAllowed(address("ssh://git@example.org/x"), undefined)).toBe(true);
    expect(isRepositoryAllowed(address("/srv/git/x"), undefined)).toBe(false);
  });

  test("an empty list allows nothing", () => {
    expect(isRepositoryAllowed(address("owner/name"), [])).toBe(false);
  });
});
