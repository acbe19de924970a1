import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRepository } from "../../src/domain/repository-address.ts";
import { anyText } from "../any-text.ts";

describe("parseRepository", () => {
  test.each([
    ["owner/name", "owner/name", "https://github.com/owner/name.git"],
    ["Acme/Shop.js", "Acme/Shop.js", "https://github.com/acme/shop.js.git"],
    ["owner/name.git", "owner/name", "https://github.com/owner/name.git"],
    ["https://github.com/Owner/name", "Owner/name", "https://github.com/owner/name.git"],
    ["HTTPS://GitHub.com/owner/name.git/", "owner/name", "https://github.com/owner/name.git"],
    ["https://git.example.org:8443/team/x", undefined, "https://git.example.org:8443/team/x"],
    ["https://Git.Example.org/Team/x.git", undefined, "https://git.example.org/Team/x.git"],
    ["https://dev.example.org/My%20Team/x", undefined, "https://dev.example.org/My%20Team/x"],
    ["ssh://git@example.org:2222/team/x.git", undefined, "ssh://git@example.org:2222/team/x.git"],
    ["ssh://example.org/x", undefined, "ssh://example.org/x"],
    ["git@example.org:team/x.git", undefined, "git@example.org:team/x.git"],
    ["git@example.org:/srv/git/x.git", undefined, "git@example.org:/srv/git/x.git"],
    ["/srv/git/x.git/", "file:///srv/git/x.git", "file:///srv/git/x.git"],
    ["//srv///git/x", "file:///srv/git/x", "file:///srv/git/x"],
    ["/home/me/my project", undefined, "file:///home/me/my project"],
    ["file:///home/me/my%20project", undefined, "file:///home/me/my project"],
    ["/srv/100%25", "file:///srv/100%25", "file:///srv/100%25"],
  ])("reads %s", (text, repository, gitRemote) => {
    expect(parseRepository(text)).toEqual({
      repository: repository ?? gitRemote,
      gitRemote,
      kind: gitRemote.startsWith("https") ? "https" : gitRemote.startsWith("file") ? "file" : "ssh",
    });
  });

  test.each([
    ["an option", "--upload-pack=/bin/sh"],
    ["a short option", "-x"],
    ["an option as owner", "-x/name"],
    ["an option as name", "owner/-x"],
    ["a command", "ext::sh -c touch% /tmp/x"],
    ["a command without a space", "ext::sh"],
    ["a command before a URL", "ext::https://example.org/x"],
    ["a file descriptor", "fd::17"],
    ["plain http", "http://example.org/x"],
    ["the git protocol", "git://example.org/x"],
    ["ftp", "ftp://example.org/x"],
    ["a password in a URL", "https://user:secret@example.org/x"],
    ["a token in a URL", "https://secret@example.org/x"],
    ["a password for ssh", "ssh://git:secret@example.org/x"],
    ["a credential that hides the host", "https://example.org@evil.example/x"],
    ["a credential before '::'", "user:secret@example.org::x"],
    ["an option as ssh host", "ssh://-oProxyCommand=x/x"],
    ["an option as ssh user", "ssh://-oProxyCommand=x@example.org/x"],
    ["an option as scp host", "git@-oProxyCommand=x:x"],
    ["an option as scp user", "-oProxyCommand=x@example.org:x"],
    ["an option as path", "git@example.org:-x"],
    ["an encoded option as path", "ssh://example.org/%2dx"],
    ["a step up", "https://example.org/team/../other"],
    ["an encoded step up", "https://example.org/team/%2e%2e/other"],
    ["a half encoded step up", "ssh://example.org/team/.%2E/other"],
    ["an encoded slash and step up", "https://example.org/team%2f..%2fother"],
    ["a step up over scp", "git@example.org:team/../other"],
    ["a step up in a path", "/srv/git/../secret"],
    ["an encoded step up in a file URL", "file:///srv/git/%2e%2e/secret"],
    ["a file URL with a host", "file://example.org/x"],
    ["an empty part", "https://example.org/team//x"],
    ["an empty first part", "https://example.org//x"],
    ["a query", "https://example.org/x?a=b"],
    ["a fragment", "https://example.org/x#a"],
    ["a backslash", "https://example.org\\evil.example/x"],
    ["a URL without a path", "https://example.org"],
    ["a host of the reader's alphabet", "https://ex\u0430mple.org/x"],
    ["a bracketed address", "https://[::1]/x"],
    ["a NUL", "owner/name\u0000"],
    ["an encoded NUL", "https://example.org/x%00"],
    ["an encoded newline", "file:///srv/x%0a"],
    ["a newline", "owner/name\nx"],
    ["a space", "owner/my name"],
    ["a space in a URL", "https://example.org/my name"],
    ["a no-break space", "https://example.org/my\u00a0name"],
    ["a line separator", "https://example.org/x\u2028y"],
    ["a direction mark", "https://example.org/x\u202egit.x"],
    ["a lone surrogate", "https://example.org/\ud800"],
    ["dots as owner", "../name"],
    ["dots as name", "owner/.."],
    ["nothing but the suffix", "owner/.git"],
    ["one word", "name"],
    ["three parts", "a/b/c"],
    ["a drive letter", "C:\\work"],
    ["nothing", ""],
    ["too much", `owner/${"x".repeat(2_000)}`],
  ])("refuses %s", (_name, text) => {
    const address = parseRepository(text);
    expect(address).toEqual({ problem: expect.stringMatching(/^expected /) });
    expect(JSON.stringify(address)).not.toContain("secret");
  });

  test("whatever it accepts is no option, has no hidden character, credential or step up", () => {
    const alphabet = [
      ..."aZ0-._~/:@%?#\\ \n\u0000\u00a0\u202e[]*",
      "..",
      "%2e",
      "%2F",
      "%00",
      "::",
      "git@",
      ".git",
      "https://",
      "ssh://",
      "file:///",
      "ext::",
      "github.com",
      "example.org",
    ];
    const text = fc
      .array(fc.constantFrom(...alphabet), { maxLength: 12 })
      .map((parts) => parts.join(""));
    const prefixed = fc
      .tuple(
        fc.constantFrom(
          "",
          "https://example.org/",
          "ssh://git@example.org/",
          "git@example.org:",
          "/",
          "file:///",
        ),
        text,
      )
      .map(([prefix, rest]) => prefix + rest);
    const accepted = { https: 0, ssh: 0, file: 0 };
    fc.assert(
      fc.property(fc.oneof(prefixed, text, anyText), (input) => {
        const address = parseRepository(input);
        if ("problem" in address) {
          return;
        }
        accepted[address.kind] += 1;
        const { gitRemote, repository, kind } = address;
        expect(gitRemote).toMatch(/^(https:\/\/|ssh:\/\/|file:\/\/\/|[\w.-]+@)/);
        expect(gitRemote + repository).not.toMatch(/[\p{Cc}\p{Cf}]|(?! )\s/u);
        if (kind !== "file") {
          expect(gitRemote).not.toMatch(/ |^https:\/\/[^/]*@|^ssh:\/\/[^/]*:[^/]*@/);
          expect(
            decodeURIComponent(gitRemote.replace(/%(?![\da-f]{2})/gi, "%25")).split("/"),
          ).not.toContain("..");
          expect(parseRepository(gitRemote)).toMatchObject({ gitRemote });
        }
        expect(gitRemote.split("/")).not.toContain("..");
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(...Object.values(accepted))).toBeGreaterThan(2);
  });
});
