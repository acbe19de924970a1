import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TempFolder, tempFolder, testDatabase } from "@speckit/testkit";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const database = await testDatabase();

let folder: TempFolder;
let app: string;

/** An empty folder outside the workspace, with nothing but the packed library and Node's types. */
beforeAll(async () => {
  folder = await tempFolder("packed");
  app = join(folder.path, "app");
  await execa(process.execPath, [join(root, "scripts/pack.mjs"), folder.path]);
  const tarball = (await readdir(folder.path)).find((name) => name.endsWith(".tgz")) ?? "";
  await mkdir(app);
  await writeFile(join(app, "package.json"), '{ "private": true, "type": "module" }');
  const packages = [join(folder.path, tarball), "@types/node@24.19.2"];
  await execa("npm", ["install", "--no-audit", "--no-fund", "--silent", ...packages], { cwd: app });
}, 240_000);

afterAll(() => folder[Symbol.asyncDispose]());

describe("the packed library, in an empty folder", () => {
  test("publint finds nothing wrong with it", async () => {
    const { stdout } = await execa("publint", [join(app, "node_modules/@speckit/orchestrator")], {
      preferLocal: true,
      localDir: fileURLToPath(new URL("../..", import.meta.url)),
    });
    expect(stdout).toContain("All good!");
  });

  test("carries a run as plain JavaScript", async () => {
    await cp(fileURLToPath(new URL("example.mjs", import.meta.url)), join(app, "example.mjs"));
    const { stdout } = await execa(process.execPath, ["example.mjs"], {
      cwd: app,
      env: { DATABASE_URL: database.url, STATE_DIR: join(folder.path, "state") },
    });
    expect(stdout.trim().split("\n").at(-1)).toBe("succeeded");
  });

  test("type-checks with every declaration looked at", async () => {
    await cp(fileURLToPath(new URL("types.mts.txt", import.meta.url)), join(app, "types.mts"));
    const options = ["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext"];
    const libraries = ["--lib", "es2024,esnext.disposable", "--types", "node"];
    const { stdout } = await execa(
      join(root, "node_modules/.bin/tsc"),
      [...options, ...libraries, "--skipLibCheck", "false", "types.mts"],
      { cwd: app, reject: false },
    );
    expect(stdout).toBe("");
  });

  test("its main entry loads no database, broker or process library", async () => {
    const script = `
      import { registerHooks } from "node:module";
      const seen = new Set();
      registerHooks({ resolve(name, context, next) { seen.add(name); return next(name, context); } });
      await import("@speckit/orchestrator");
      console.log(JSON.stringify([...seen].filter((name) => !name.startsWith(".") && !name.startsWith("zod"))));
    `;
    await writeFile(join(app, "loads.mjs"), script);
    const { stdout } = await execa(process.execPath, ["loads.mjs"], { cwd: app });
    expect(JSON.parse(stdout)).toEqual(["@speckit/orchestrator"]);
  });
});
