import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

export type TestImage = "job" | "worker" | "rabbitmq" | "postgres";

const repositories: Readonly<Record<TestImage, string>> = {
  job: "speckit-job",
  worker: "speckit-worker",
  rabbitmq: "speckit-stand-in-rabbitmq",
  postgres: "speckit-stand-in-postgres",
};

export interface TestEngine {
  /** As DOCKER_HOST has it. */
  readonly dockerHost: string;
  readonly image: (name: TestImage) => string;
  /** Runs the `docker` command against this engine; resolves with what it prints on stdout. */
  readonly docker: (args: readonly string[]) => Promise<string>;
}

/**
 * The Docker engine of the tests: DOCKER_HOST, which `npm test` sets to the machine's own engine or
 * to one it has started, with the images it has built there. Without it, for a test run by hand, the
 * machine's own with images of `npm run images`.
 */
export function testEngine(env: NodeJS.ProcessEnv = process.env): TestEngine {
  const dockerHost = env.DOCKER_HOST || "unix:///var/run/docker.sock";
  const run = promisify(execFile);
  return {
    dockerHost,
    image: (name) => imageFor(name, env),
    async docker(args) {
      try {
        const { stdout } = await run("docker", [...args], {
          env: { ...env, DOCKER_HOST: dockerHost },
          maxBuffer: 64 * 1024 * 1024,
        });
        return stdout;
      } catch (cause) {
        const hint = /No such image|Unable to find image|Cannot connect|ENOENT/.test(String(cause))
          ? "\nTests in containers need an engine, with the images of `npm run images -- job worker rabbitmq postgres`."
          : "";
        throw new Error(`docker ${args[0]} failed on ${dockerHost}: ${cause}${hint}`, { cause });
      }
    },
  };
}

/** The image that `npm test` has built, else the one of this version. */
export function imageFor(
  name: TestImage,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return env[`SPECKIT_TEST_IMAGE_${name.toUpperCase()}`] || `${repositories[name]}:${version()}`;
}

function version(): string {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}
