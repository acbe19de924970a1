import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { EnvHttpProxyAgent, fetch } from "undici";
import { GITHUB_API_URL } from "../../domain/git-hub-host.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitHubReach } from "./options.ts";

/** Sockets to one API, with proxy and certificate authorities of this machine. */
export interface Connection extends AsyncDisposable {
  readonly apiUrl: string;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Proxies are read from the variables that git reads, since Node's own `fetch` takes them only from
 * 22.21 on and behind a flag.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` when the file of authorities cannot be read
 */
export function openConnection(reach: GitHubReach): Connection {
  const { environment = process.env, timeoutMs = 30_000 } = reach;
  const variable = (...names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]).find(Boolean);
  const everything = variable("all_proxy", "ALL_PROXY");
  const ca = authorities(variable("GIT_SSL_CAINFO", "SSL_CERT_FILE"));
  const trust = ca === undefined ? {} : { ca };
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: variable("http_proxy", "HTTP_PROXY") ?? everything ?? "",
    httpsProxy: variable("https_proxy", "HTTPS_PROXY") ?? everything ?? "",
    noProxy: variable("no_proxy", "NO_PROXY") ?? "",
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs, ...trust },
    requestTls: trust,
    proxyTls: trust,
  });
  const connected = (url: string, init: object) => fetch(url, { ...init, dispatcher });
  return {
    apiUrl: (reach.apiUrl ?? GITHUB_API_URL).replace(/\/+$/, ""),
    fetch: connected as unknown as typeof globalThis.fetch,
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

/** Those of the file besides the usual ones: it may hold only a company's own. */
function authorities(file: string | undefined): string[] | undefined {
  if (file === undefined) {
    return undefined;
  }
  try {
    return [...getCACertificates("default"), readFileSync(file, "utf8")];
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `GIT_SSL_CAINFO or SSL_CERT_FILE: expected a readable file, got ${file}`,
      { cause },
    );
  }
}
