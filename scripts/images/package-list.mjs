import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announce } from "../refusal.mjs";
import { askDocker, imagesFolder } from "./docker.mjs";

/** Debian's packages with their licences' source package, the programs fetched beside them, and npm's packages. */
const script = String.raw`
set -eu
echo '--- debian'
dpkg-query -W -f '\${Package}\t\${Version}\t\${Architecture}\t\${source:Package}\n'
echo '--- programs'
for program in node codex specify gh; do
  if command -v "$program" > /dev/null; then printf '%s\t%s\n' "$program" "$("$program" --version | head -n 1)"; fi
done
echo '--- npm'
if [ -d /app/node_modules ]; then
  node -e '
    const { readdirSync, readFileSync } = require("node:fs");
    for (const entry of readdirSync("/app/node_modules", { recursive: true })) {
      if (!/(^|node_modules\/)(@[^/]+\/)?[^/]+\/package.json$/.test(entry)) continue;
      const { name, version } = JSON.parse(readFileSync("/app/node_modules/" + entry, "utf8"));
      if (name && version) console.log(name + "\t" + version);
    }' | sort -u
fi
`;

/** What an image is made of, beside the build's log: \`.speckit/images/<image>.packages.json\`. */
export async function writePackageList({ repository }, tag, env = process.env) {
  const run = ["run", "--rm", "--network", "none", "--user", "10001:10001", "--entrypoint", "sh"];
  const printed = askDocker([...run, tag, "-c", script.replaceAll("\\$", "$")], env);
  if (printed === undefined) {
    announce(`${tag}: its packages could not be listed`);
    return;
  }
  const sections = new Map();
  for (const line of printed.split("\n")) {
    const name = /^--- (\w+)$/.exec(line)?.[1];
    if (name === undefined) [...sections.values()].at(-1)?.push(line.split("\t"));
    else sections.set(name, []);
  }
  const rows = (name, fields) =>
    (sections.get(name) ?? []).map((values) =>
      Object.fromEntries(fields.map((field, index) => [field, values[index] ?? ""])),
    );
  const list = {
    image: tag,
    id: askDocker(["image", "inspect", "--format", "{{.Id}}", tag], env),
    debian: rows("debian", ["name", "version", "architecture", "source"]),
    programs: rows("programs", ["name", "version"]),
    npm: rows("npm", ["name", "version"]),
  };
  mkdirSync(imagesFolder, { recursive: true });
  const path = join(imagesFolder, `${repository}.packages.json`);
  writeFileSync(path, `${JSON.stringify(list, null, 2)}\n`);
}
