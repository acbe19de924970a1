import { access, constants } from "node:fs/promises";
import { type Diagnosis, fine, problem } from "../../ports/diagnosis.ts";

const CERTIFICATES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "GIT_SSL_CAINFO"] as const;
const PROXIES = [
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "ALL_PROXY",
  "all_proxy",
];

/** Variables that are not ours, but decide how everything outside is reached. */
export async function diagnoseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Diagnosis[]> {
  const unreadable: string[] = [];
  const files = CERTIFICATES.filter((name) => environment[name]);
  for (const name of files) {
    const path = environment[name] ?? "";
    await access(path, constants.R_OK).catch(() => unreadable.push(`${name} (${path})`));
  }
  // A proxy's address may hold a password: it is not shown.
  const proxies = PROXIES.filter((name) => environment[name]);
  const odd = proxies.filter((name) => !isProxy(environment[name] ?? ""));
  return [
    unreadable.length > 0
      ? problem("configuration.certificates", `cannot be read: ${unreadable.join(", ")}`)
      : fine("configuration.certificates", named(files)),
    odd.length > 0
      ? problem("configuration.proxies", `no address of a proxy: ${odd.join(", ")}`)
      : fine("configuration.proxies", named(proxies)),
  ];
}

function named(names: readonly string[]): string {
  return names.length === 0 ? "none is set" : `set: ${names.join(", ")}`;
}

function isProxy(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^(https?|socks[45a-h]*):$/.test(url.protocol) && url.hostname !== "";
}
