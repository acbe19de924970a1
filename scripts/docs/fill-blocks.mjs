import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BLOCKS } from "./blocks.mjs";

const block = /(<!-- generated:([a-z-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** The pages of a folder with their generated blocks filled: `[{ name, text }]`. Refuses a block no page uses. */
export async function fillBlocks(folder) {
  const used = new Set();
  const pages = [];
  for (const name of (await readdir(folder)).filter((name) => name.endsWith(".md"))) {
    const before = await readFile(join(folder, name), "utf8");
    const text = before.replace(block, (_all, begin, key, end) => {
      if (BLOCKS[key] === undefined) throw new Error(`docs/${name}: no generated block ${key}`);
      used.add(key);
      return `${begin}\n${BLOCKS[key]()}\n\n${end}`;
    });
    pages.push({ name, text });
  }
  const unused = Object.keys(BLOCKS).filter((key) => !used.has(key));
  if (unused.length > 0) throw new Error(`No page of docs/ has the block ${unused.join(", ")}`);
  return pages;
}
