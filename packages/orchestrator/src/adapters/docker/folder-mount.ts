import { posix } from "node:path";
import type Docker from "dockerode";
import { SpeckitError } from "../../domain/speckit-error.ts";

/** The first API that mounts a folder of a volume: Docker 26. */
const SUBPATH_API = [1, 45] as const;

/**
 * One folder of a volume in a container, read-only; the folder must be there when the container is started.
 *
 * An engine that can mount a part of a volume does that. An older one is given the place where it keeps the volume,
 * which it tells for volumes of its driver `local`: those without options, and those that are a folder of its machine.
 *
 * @param folder relative to the volume's root
 * @throws SpeckitError `CONFIGURATION_INVALID` for another volume on an older engine
 */
export function folderMount(
  volume: Pick<Docker.VolumeInspectInfo, "Name" | "Driver" | "Mountpoint" | "Options">,
  {
    folder,
    target,
    apiVersion,
  }: { readonly folder: string; readonly target: string; readonly apiVersion: string },
): Docker.MountSettings {
  const common = { Target: target, ReadOnly: true };
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  if (major > SUBPATH_API[0] || (major === SUBPATH_API[0] && minor >= SUBPATH_API[1])) {
    // The types of dockerode are of an older API.
    const part: Docker.MountSettings["VolumeOptions"] & { readonly Subpath: string } = {
      NoCopy: true,
      Labels: {},
      DriverConfig: { Name: "", Options: {} },
      Subpath: folder,
    };
    return { ...common, Type: "volume", Source: volume.Name, VolumeOptions: part };
  }
  const root = rootOf(volume);
  if (root === undefined) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `SPECKIT_GATEWAY_VOLUME: expected a volume of the driver local that is a folder of the engine's machine, since this engine (API ${apiVersion}) mounts no part of another one: ${volume.Name} is of the driver ${volume.Driver}`,
    );
  }
  return { ...common, Type: "bind", Source: posix.join(root, folder) };
}

/** Where it is on the engine's machine, whether or not a container has it just now. */
function rootOf({
  Driver,
  Mountpoint,
  Options,
}: Pick<Docker.VolumeInspectInfo, "Driver" | "Mountpoint" | "Options">): string | undefined {
  if (Driver !== "local") {
    return undefined;
  }
  const {
    o = "",
    device = "",
    type = "none",
  } = (Options ?? {}) as Readonly<Record<string, string | undefined>>;
  if (device === "") {
    return Mountpoint;
  }
  const isFolder = type === "none" && o.split(",").includes("bind") && posix.isAbsolute(device);
  return isFolder ? device : undefined;
}
