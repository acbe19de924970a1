import { readFileSync } from "node:fs";

/** The same distance from `src` and from the built `dist`. */
const PACKAGE = new URL("../../package.json", import.meta.url);

/** An image of this package's own version, for example `speckit-job:0.1.0`. */
export function releaseOf(image: "speckit-job" | "speckit-worker"): string {
  const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { readonly version: string };
  return `${image}:${version}`;
}
