import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@speckit/testkit";
import { expect, test } from "vitest";

const script = new URL("../../scripts/images/apt-sources.mjs", import.meta.url).href;
const { aptMirrors } = await import(script);

async function mirrorsOf(files: Readonly<Record<string, string>>): Promise<unknown> {
  await using folder = await tempFolder("apt");
  mkdirSync(join(folder.path, "sources.list.d"));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder.path, name), text);
  }
  return aptMirrors(folder.path);
}

test("an image gets its packages from where this machine gets its own, in both of apt's forms", async () => {
  const expected = { debian: "http://near/debian", security: "http://near/debian-security" };
  expect(
    await mirrorsOf({
      "sources.list":
        "deb [arch=amd64 signed-by=/x] http://near/debian bookworm main\n" +
        "deb http://near/debian-security bookworm-security main\n",
    }),
  ).toEqual(expected);
  expect(
    await mirrorsOf({
      "sources.list.d/debian.sources":
        "Types: deb\nURIs: http://near/debian\nSuites: bookworm\n\n" +
        "Types: deb\nURIs: http://near/debian-security\n",
      "sources.list.d/other.list": "deb https://elsewhere/apt stable main\n",
      "sources.list.d/old.list.disabled": "deb http://far/debian bookworm main\n",
    }),
  ).toEqual(expected);
});

test("a machine that is no Debian takes Debian's own addresses", async () => {
  expect(await mirrorsOf({ "sources.list": "deb http://archive/ubuntu noble main\n" })).toEqual({
    debian: "http://deb.debian.org/debian",
    security: "http://deb.debian.org/debian-security",
  });
});
