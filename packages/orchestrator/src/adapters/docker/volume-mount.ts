import type Docker from "dockerode";

/**
 * A volume in a container. Docker makes one that is missing meanwhile (somebody has just removed it):
 * then with these labels, so that it is found and removed like any other of ours.
 *
 * Docker fills an empty volume with what the image has in that place, its owner too: by default only
 * where it can be written to, which is how a job's volume comes to belong to the job's user.
 */
export function volumeMount(
  source: string,
  target: string,
  labels: Readonly<Record<string, string>>,
  {
    readOnly = false,
    isFilled = !readOnly,
  }: { readonly readOnly?: boolean; readonly isFilled?: boolean } = {},
): Docker.MountSettings {
  return {
    Type: "volume",
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: {
      NoCopy: !isFilled,
      Labels: { ...labels },
      DriverConfig: { Name: "", Options: {} },
    },
  };
}
