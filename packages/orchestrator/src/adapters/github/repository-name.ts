/** A repository as GitHub's API names it. */
export interface RepositoryName {
  readonly owner: string;
  readonly repo: string;
}

/** Reads `https://host/owner/name.git`, `ssh://git@host/owner/name.git` and `git@host:owner/name.git`. */
export function repositoryNameOf(gitRemote: string, host: string): RepositoryName | undefined {
  const url = /^(https|ssh):\/\/(?:[^@/]+@)?([^/]+)\/(.+)$/i.exec(gitRemote);
  const scp = /^[^@/:]+@([^@/:]+):(?!\/\/)(.+)$/.exec(gitRemote);
  const isHere =
    url !== null
      ? url[1]?.toLowerCase() === "https"
        ? sameHost(url[2], host)
        : sameName(url[2], host)
      : sameName(scp?.[1], host);
  const parts = (url?.[3] ?? scp?.[2] ?? "").replace(/\/$/, "").split("/");
  const [owner, name] = parts;
  const repo = name?.replace(/\.git$/i, "");
  return isHere && parts.length === 2 && owner && repo ? { owner, repo } : undefined;
}

function sameHost(given: string | undefined, host: string): boolean {
  return given?.toLowerCase().replace(/:443$/, "") === host;
}

/** The port of ssh says nothing; `ssh.github.com` is github.com where only port 443 is let out. */
function sameName(given: string | undefined, host: string): boolean {
  const name = given?.toLowerCase().replace(/:\d+$/, "");
  const wanted = host.replace(/:\d+$/, "");
  return name === wanted || name === `ssh.${wanted}`;
}
