import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Named {
  readonly file: string;
  readonly title: string;
}

/** Tests as the pages name them: the file as code, a colon, the title in quotes. */
function testsNamedIn(text: string): readonly Named[] {
  return [...text.matchAll(/`([^`]+\.test\.ts)`:\s+"([^"]+)"/g)].map(
    ([, file = "", title = ""]) => ({
      file,
      title,
    }),
  );
}

/** What does not hold of a test that is named. */
function problemWith({ file, title }: Named): string | undefined {
  if (!existsSync(join(root, file))) {
    return `${file}: there is no such file`;
  }
  // A title may be broken by the formatter's quotes, never by a line end.
  return read(file).includes(title) ? undefined : `${file}: has no test "${title}"`;
}

/** Cells of the rows of a page's tables, without head and rule. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .filter((line) => /^\| /.test(line) && !/^\| ---/.test(line))
    .map((line) => line.split(/ ?\| ?/).slice(1, -1))
    .filter(([first]) => first !== "#" && first !== "requirement");
}

describe("documented tests", () => {
  test("a test that does not exist is found", () => {
    const file = "packages/testkit/test/documented-tests.test.ts";
    const named = testsNamedIn(`\`${file}\`: "a test that does not exist is found"`);
    expect(named.map(problemWith)).toEqual([undefined]);
    expect(problemWith({ file, title: ["nobody", "wrote this"].join(" ") })).toContain("no test");
    expect(problemWith({ file: "no.test.ts", title: "x" })).toContain("no such file");
  });

  test.each(["docs/promises.md", "docs/requirements.md"])(
    "every test that %s names is there",
    (page) => {
      const named = testsNamedIn(read(page));
      expect(named.length).toBeGreaterThan(15);
      expect(named.flatMap((one) => problemWith(one) ?? [])).toEqual([]);
    },
  );

  test("every promise has a test", () => {
    const rows = rowsOf(read("docs/promises.md"));
    expect(rows.length).toBeGreaterThan(10);
    for (const cells of rows) {
      expect(testsNamedIn(cells.join(" | ")), cells[0]).not.toEqual([]);
    }
  });

  test("every requirement has a file that is there and a test, or says that it is not built yet", () => {
    const rows = rowsOf(read("docs/requirements.md"));
    expect(rows.length).toBeGreaterThan(20);
    for (const [requirement = "", code = "", kept = ""] of rows) {
      const path = /^`([^`]+)`$/.exec(code)?.[1];
      const isBuilt = path !== undefined && existsSync(join(root, path));
      const isKept = testsNamedIn(kept).length > 0;
      expect({ isBuilt, isKept }, requirement).toEqual(
        code === "not built yet"
          ? { isBuilt: false, isKept: false }
          : { isBuilt: true, isKept: true },
      );
    }
  });
});
