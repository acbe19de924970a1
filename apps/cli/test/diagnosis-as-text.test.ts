import { expect, test } from "vitest";
import { diagnosisAsText } from "../src/output/diagnosis-as-text.ts";

test("findings are grouped, with each remedy beneath, and counted in the last line", () => {
  const away = { state: "skipped", found: "not looked at: there is no broker to ask" } as const;
  expect(
    diagnosisAsText([
      { check: "state.folder", state: "ok", found: "/state takes files" },
      { check: "state.space", state: "warning", found: "1.0 GiB are free", remedy: "Free some." },
      { check: "broker.connection", state: "problem", found: "no\u001b[31m", remedy: "Start it." },
      { check: "broker.version", ...away },
      { check: "broker.topology", ...away },
      { check: "git.push", state: "problem", found: "a: 403", remedy: "Give a right." },
      { check: "git.push", state: "problem", found: "b: 403", remedy: "Give a right." },
    ]),
  ).toBe(`state
  ok       folder: /state takes files
  warning  space: 1.0 GiB are free
           → Free some.

broker
  PROBLEM  connection: no\\u{1b}[31m
           → Start it.
  -        version, topology: not looked at: there is no broker to ask

git
  PROBLEM  push: a: 403
           → Give a right.
  PROBLEM  push: b: 403
           → Give a right.

3 problems, 1 warning, 1 ok, 2 not looked at
`);
});
