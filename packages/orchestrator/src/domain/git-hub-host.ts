/** Of github.com. */
export const GITHUB_API_URL = "https://api.github.com";

/**
 * The host whose repositories an API is for: `github.com` for `https://api.github.com`, likewise for
 * `https://api.<name>.ghe.com`; for Enterprise Server (`https://ghe.example.org/api/v3`) its own.
 */
export function webHostOf(apiUrl: string): string {
  const { host } = new URL(apiUrl);
  return /^api\.(?:github\.com$|[^.]+\.ghe\.com$)/.test(host) ? host.slice("api.".length) : host;
}
