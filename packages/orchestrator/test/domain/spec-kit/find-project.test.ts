import { describe, expect, test } from "vitest";
import { findProject } from "../../../src/domain/spec-kit/find-project.ts";
import {
  inProject,
  inRepository,
  isProjectDirectory,
} from "../../../src/domain/spec-kit/project-path.ts";

const at = (...directories: readonly string[]) => [
  "README.md",
  ...directories.map((directory) => inRepository(directory, ".specify/memory/constitution.md")),
];

describe("findProject", () => {
  test("the root is the project wherever it is one", () => {
    expect(findProject(at("", "packages/api"))).toEqual({ found: true, directory: "" });
  });

  test("else the only folder that is one, not too deep and no dependency's", () => {
    const others = ["a/b/c/d/e", "node_modules/x", "packages/web/node_modules/y"];
    expect(findProject(at("packages/api", ...others))).toEqual({
      found: true,
      directory: "packages/api",
    });
  });

  test("several are told, in order, and one of them can be asked for", () => {
    const paths = at("packages/web", "packages/api");
    expect(findProject(paths)).toEqual({
      found: false,
      because: "several",
      others: ["packages/api", "packages/web"],
    });
    expect(findProject(paths, "packages/web")).toEqual({ found: true, directory: "packages/web" });
    expect(findProject(paths, "packages")).toMatchObject({ because: "not_there" });
  });

  test("none is none: a file of that name is no project", () => {
    expect(findProject(["README.md", ".specify", "a/.specify"])).toEqual({
      found: false,
      because: "none",
      others: [],
    });
  });
});

describe("paths of a project", () => {
  test.each([
    ["", "specs/001-x/spec.md", "specs/001-x/spec.md"],
    ["packages/api", "packages/api/specs/001-x/spec.md", "specs/001-x/spec.md"],
    ["packages/api", "packages/api-two/x.md", "../api-two/x.md"],
    ["packages/api", "README.md", "../../README.md"],
    ["packages/api", "packages/api", "../api"],
  ])("in %j, %s is %s, and back", (project, path, inside) => {
    expect(inProject(project, path)).toBe(inside);
    expect(inRepository(project, inside)).toBe(path);
  });

  test("a directory has plain names, and leads nowhere else", () => {
    for (const good of ["api", "packages/api", "apps/web-2/ui", "dienste/größe"]) {
      expect(isProjectDirectory(good), good).toBe(true);
    }
    for (const bad of [
      "",
      ".",
      "..",
      "a/../b",
      "/a",
      "a/",
      "a//b",
      ".git/x",
      "a b",
      "-a",
      "a\\b",
    ]) {
      expect(isProjectDirectory(bad), bad).toBe(false);
    }
  });
});
