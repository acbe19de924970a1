import { describe, expect, test } from "vitest";
import {
  egressRuleText,
  parseEgressRule,
  rulesFor,
  ruleThatAllows,
} from "../../src/domain/egress-rule.ts";
import { hostNameOf } from "../../src/domain/host-name.ts";

const rulesOf = (...lines: string[]) => lines.map((line) => parseEgressRule(line)!);

describe("a line of the allow-list", () => {
  test.each([
    ["packages.example.org", "packages.example.org:443"],
    ["Packages.EXAMPLE.org", "packages.example.org:443"],
    ["*.example.org:8443", "*.example.org:8443"],
    ["mirror.example.org:5432/tcp@plan+tasks", "mirror.example.org:5432/tcp"],
    ["xn--bcher-kva.example@specify", "xn--bcher-kva.example:443"],
  ])("%s is understood", (line, text) => {
    expect(egressRuleText(parseEgressRule(line)!)).toBe(text);
  });

  test.each([
    ...["", "*", "*.", "*.org", "localhost", "a.*.example.org", "**.example.org", "example.org."],
    ...["https://example.org", "example.org/path", "user@example.org", "example.org:0"],
    ...["example.org:65536", "example.org:", "example.org:https", "bücher.example"],
    ...["1.2.3.4", "127.1", "0x7f.1", "017700000001", "2130706433", "[::1]", "::1", "1.2.3.0x4"],
    ...["example.org@prepare", "example.org@", "example.org@plan+plan", "example.org/udp"],
    ...[
      "exam_ple.org",
      "-a.example.org",
      "a-.example.org",
      "a..example.org",
      `${"a".repeat(64)}.org`,
    ],
    ...["example.org example.com", "example.org\n", "\u212aelvin.example.org"],
  ])("%j is none", (line) => {
    expect(parseEgressRule(line)).toBeUndefined();
  });

  test("counts for the phases it names, and for all where it names none", () => {
    const rules = rulesOf("one.example.org", "two.example.org@plan+tasks");
    expect(rulesFor("specify", rules)).toHaveLength(1);
    expect(rulesFor("tasks", rules)).toHaveLength(2);
    expect(rulesFor("prepare", rules)).toEqual([]);
  });
});

describe("what is allowed", () => {
  const rules = rulesOf("one.example.org", "*.deep.example.org", "db.example.org:5432/tcp@plan");
  const isAllowed = (host: string, port = 443, phase = "plan") =>
    ruleThatAllows(rules, { phase, host, port }) !== undefined;

  test("is the name itself, or what is below a starred one", () => {
    expect(isAllowed("one.example.org")).toBe(true);
    expect(isAllowed("a.deep.example.org")).toBe(true);
    expect(isAllowed("a.b.deep.example.org")).toBe(true);
    expect(isAllowed("deep.example.org")).toBe(false);
    expect(isAllowed("x.one.example.org")).toBe(false);
    expect(isAllowed("notdeep.example.org")).toBe(false);
    expect(isAllowed("one.example.org.evil.example")).toBe(false);
  });

  test("on its port and in its phase alone", () => {
    expect(isAllowed("one.example.org", 80)).toBe(false);
    expect(isAllowed("db.example.org", 5432)).toBe(true);
    expect(isAllowed("db.example.org", 5432, "tasks")).toBe(false);
  });

  test("looks at the first bytes where any rule says so", () => {
    const both = rulesOf("*.example.org:443/tcp", "one.example.org");
    expect(
      ruleThatAllows(both, { phase: "plan", host: "one.example.org", port: 443 }),
    ).toMatchObject({ protocol: "tls" });
  });
});

test("a host's name has one form", () => {
  expect(hostNameOf("ONE.Example.org")).toBe("one.example.org");
  expect(hostNameOf("one.example.org.")).toBeUndefined();
  expect(hostNameOf("one.example.123")).toBeUndefined();
});
