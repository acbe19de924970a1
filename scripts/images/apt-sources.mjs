import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const fallback = {
  debian: "http://deb.debian.org/debian",
  security: "http://deb.debian.org/debian-security",
};

/**
 * Where this machine gets Debian's packages from: an image that is built here gets them there too. Debian's own address
 * on machines that are none.
 */
export function aptMirrors(folder = "/etc/apt") {
  const addresses = sourceFiles(folder).flatMap((path) => addressesIn(readFileSync(path, "utf8")));
  return {
    debian: addresses.find((url) => /\/debian\/?$/.test(url)) ?? fallback.debian,
    security: addresses.find((url) => /debian-security\/?$/.test(url)) ?? fallback.security,
  };
}

function sourceFiles(folder) {
  const more = join(folder, "sources.list.d");
  const names = existsSync(more) ? readdirSync(more).sort() : [];
  return [
    join(folder, "sources.list"),
    ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(more, name)),
  ].filter((path) => existsSync(path));
}

/** Both of apt's forms: `deb [options] URL suite …` and `URIs: URL …`. */
function addressesIn(text) {
  return text.split("\n").flatMap((line) => {
    const oneLine = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(https?:\S+)/.exec(line)?.[1];
    const uris = /^URIs:\s*(.*)$/i.exec(line)?.[1];
    return [...(oneLine ? [oneLine] : []), ...(uris?.split(/\s+/) ?? [])].filter((url) =>
      /^https?:/.test(url),
    );
  });
}
