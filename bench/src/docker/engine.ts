import { once } from "node:events";
import { connectDocker, type DockerAddress } from "@speckit/orchestrator/docker";

type Docker = ReturnType<typeof connectDocker>;

/** What a container was made with, as the engine tells it. */
export type ContainerFacts = Awaited<ReturnType<ReturnType<Docker["getContainer"]>["inspect"]>>;

/** How long a plain container took, in milliseconds. */
export interface PlainRun {
  readonly firstByteMs: number;
  /** To its last byte, its exit, and its removal. */
  readonly wholeMs: number;
}

export interface Engine {
  readonly inspect: (containerId: string) => Promise<ContainerFacts>;
  /**
   * What `docker run --rm` does, without its command line: create, attach, start, read to the end,
   * wait, remove.
   *
   * @param like a job's container: image, user, rights and limits are taken over from it
   */
  readonly plainRun: (
    like: ContainerFacts,
    what: {
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      /** A folder of this machine, writable for the job's user; it is in the place of the job's volume. */
      readonly folder: string;
    },
  ) => Promise<PlainRun>;
  readonly removeAllOf: (deploymentId: string) => Promise<void>;
}

/** The engine of the configuration, called directly. */
export function engineOf(address: DockerAddress | undefined): Engine {
  const docker = connectDocker(address);
  return {
    inspect: (containerId) => docker.getContainer(containerId).inspect(),
    async plainRun({ Config, HostConfig }, { argv, env, folder }) {
      const startedMs = performance.now();
      const container = await docker.createContainer({
        Image: Config.Image,
        Entrypoint: [],
        Cmd: [...argv],
        Env: Object.entries(env).map((pair) => pair.join("=")),
        User: Config.User,
        WorkingDir: `${Config.WorkingDir}/workspace`,
        HostConfig: { ...HostConfig, Mounts: [], Binds: [`${folder}:${Config.WorkingDir}`] },
      });
      try {
        const output = await container.attach({ stream: true, stdout: true, stderr: true });
        const ended = once(output, "end");
        const first = once(output, "data");
        const exited = container.wait({ condition: "next-exit" });
        await container.start();
        await first;
        const firstByteMs = performance.now() - startedMs;
        await ended;
        const { StatusCode } = await exited;
        if (StatusCode !== 0) {
          throw new Error(`A plain container ended with ${StatusCode}`);
        }
        await container.remove({ v: true });
        return { firstByteMs, wholeMs: performance.now() - startedMs };
      } catch (error) {
        await container.remove({ force: true, v: true });
        throw error;
      }
    },
    async removeAllOf(deploymentId) {
      const filters = { label: [`speckit.deployment=${deploymentId}`] };
      for (const { Id } of await docker.listContainers({ all: true, filters })) {
        await docker.getContainer(Id).remove({ force: true, v: true });
      }
      const { Volumes: volumes } = await docker.listVolumes({ filters });
      for (const { Name } of volumes ?? []) {
        await docker.getVolume(Name).remove();
      }
    },
  };
}
