import { describe, expect, test } from "vitest";
import { checkedRemote } from "../../../src/adapters/git/checked-remote.ts";
import { parseRepository } from "../../../src/domain/repository-address.ts";
import type { SpeckitError } from "../../../src/domain/speckit-error.ts";

describe("what git may be given", () => {
  test.each([
    ["https://github.com/owner/name.git", "https", "github.com"],
    ["https://Git.Example.test:8443/a/b", "https", "git.example.test:8443"],
    ["https://host:443/a/b", "https", "host"],
    ["ssh://git@host:2222/a/b.git", "ssh", "host:2222"],
    ["git@github.com:owner/name.git", "ssh", "github.com"],
    ["file:///srv/a b%20c.git", "file", ""],
  ])("%s", (gitRemote, transport, host) => {
    expect(checkedRemote(gitRemote, true)).toMatchObject({ gitRemote, transport, host });
  });

  test("a path is the path itself, whatever git would decode in a URL", () => {
    expect(checkedRemote("file:///srv/100%25.git", true)).toMatchObject({
      url: "file:///srv/100%2525.git",
      path: "/srv/100%25.git",
    });
  });

  test.each(["owner/name", "https://host/a/b", "ssh://git@host/a", "git@host:a/b", "/srv/x.git"])(
    "everything a request's %s becomes",
    (text) => {
      const address = parseRepository(text);
      expect(address).toHaveProperty("gitRemote");
      expect(() =>
        checkedRemote("gitRemote" in address ? address.gitRemote : "", true),
      ).not.toThrow();
    },
  );
});

describe("what it may not", () => {
  test.each([
    "ext::sh -c touch% /tmp/x",
    "ext::sh",
    "fd::3",
    "--upload-pack=touch /tmp/x",
    "-x",
    "http://host/a/b",
    "git://host/a",
    "ftp://host/a",
    "https://user@host/a",
    "https://user:token@host/a",
    "https://-oProxyCommand=x/a",
    "ssh://-oProxyCommand=touch/x",
    "ssh://git@-oProxyCommand=x/a",
    "git@-oProxyCommand=x:a",
    "git@host:-x",
    "git@host::a",
    "https://host",
    "https://host/a\nb",
    "file://host/a",
    "file:///a/../b",
    "/srv/x.git",
    "../x",
    "",
  ])("%j", (gitRemote) => {
    let caught: unknown;
    try {
      checkedRemote(gitRemote, true);
    } catch (error) {
      caught = error;
    }
    expect((caught as SpeckitError | undefined)?.code).toBe("REPOSITORY_INVALID");
    expect(String(caught)).not.toContain("token");
  });

  test("a path where paths are not allowed", () => {
    expect(() => checkedRemote("file:///srv/x.git", false)).toThrow(/got a path of this machine/);
  });
});
