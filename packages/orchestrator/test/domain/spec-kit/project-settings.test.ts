import { describe, expect, test } from "vitest";
import { scriptEnvironment } from "../../../src/domain/spec-kit/environment.ts";
import {
  EXTENSIONS_WITHOUT_HOOKS,
  readExtensions,
} from "../../../src/domain/spec-kit/extensions.ts";
import { isSince, readProjectSettings } from "../../../src/domain/spec-kit/project-settings.ts";

describe("readProjectSettings", () => {
  test("what the files say, the newer file first", () => {
    expect(
      readProjectSettings(
        '{"default_integration":"copilot","version":"1.0.2"}',
        '{"ai":"claude","script":"sh","feature_numbering":"timestamp","speckit_version":"1.0.1"}',
      ),
    ).toEqual({
      version: "1.0.2",
      script: "sh",
      featureNumbering: "timestamp",
      agent: "copilot",
    });
    expect(
      readProjectSettings(undefined, '{"ai":"claude","branch_numbering":"sequential"}'),
    ).toEqual({
      version: null,
      script: null,
      featureNumbering: "sequential",
      agent: "claude",
    });
  });

  test.each([undefined, "", "no JSON", "null", "[]", '{"ai":"../x","version":1,"script":"rm"}'])(
    "nothing of %j",
    (text) => {
      expect(readProjectSettings(text, text)).toEqual({
        version: null,
        script: null,
        featureNumbering: null,
        agent: null,
      });
    },
  );

  test("versions are compared by number; an unknown one is old", () => {
    expect(isSince("0.10.0", 0, 10)).toBe(true);
    expect(isSince("v1.0.2.dev0", 0, 10)).toBe(true);
    expect(isSince("0.9.5", 0, 10)).toBe(false);
    expect(isSince(null, 0, 0)).toBe(false);
  });
});

describe("readExtensions", () => {
  const FILE = `installed:
- git  # ours
- "docs"
settings:
  auto_execute_hooks: true
hooks:
  before_specify:
  - extension: git
    command: speckit.git.feature
    optional: false
`;

  test("the installed ones in either form of a list, and whether there are hooks", () => {
    expect(readExtensions(FILE)).toEqual({ installed: ["git", "docs"], hasHooks: true });
    expect(readExtensions("installed: [git, 'docs']\nhooks: {}\n")).toEqual({
      installed: ["git", "docs"],
      hasHooks: false,
    });
    expect(readExtensions("hooks: {before_plan: [{command: x}]}")).toEqual({
      installed: [],
      hasHooks: true,
    });
    expect(readExtensions(undefined)).toEqual({ installed: [], hasHooks: false });
  });

  test("the stand-in has none", () => {
    expect(readExtensions(EXTENSIONS_WITHOUT_HOOKS)).toEqual({ installed: [], hasHooks: false });
  });
});

describe("scriptEnvironment", () => {
  const about = {
    version: "1.0.2",
    extensions: [],
    featureDirectory: "specs/007-oauth",
    projectFolder: undefined,
    branch: "speckit/oauth",
  };

  test("newer Spec Kits are told the directory alone", () => {
    expect(scriptEnvironment(about)).toEqual({ SPECIFY_FEATURE_DIRECTORY: "specs/007-oauth" });
  });

  test("older ones find the feature by its name", () => {
    for (const version of ["0.9.5", null]) {
      expect(scriptEnvironment({ ...about, version })).toMatchObject({
        SPECIFY_FEATURE: "007-oauth",
      });
    }
  });

  test("a project below the root is named, and so is the branch for the git extension", () => {
    expect(
      scriptEnvironment({ ...about, projectFolder: "/w/packages/api", extensions: ["git"] }),
    ).toEqual({
      SPECIFY_FEATURE_DIRECTORY: "specs/007-oauth",
      SPECIFY_INIT_DIR: "/w/packages/api",
      GIT_BRANCH_NAME: "speckit/oauth",
    });
  });
});
