import { describe, expect, test } from "vitest";
import { folderMount } from "../../../src/adapters/docker/folder-mount.ts";

const volume = {
  Name: "some-gateway",
  Driver: "local",
  Mountpoint: "/var/lib/docker/volumes/some-gateway/_data",
  Options: null,
};
const asked = { folder: "jobs/one", target: "/run/speckit-gateway", apiVersion: "1.41" };

describe("one folder of a volume, read-only", () => {
  test.each(["1.45", "1.51", "2.0"])(
    "is a part of it where the engine speaks API %s",
    (apiVersion) => {
      const elsewhere = { ...volume, Driver: "some-cloud" };
      expect(folderMount(elsewhere, { ...asked, apiVersion })).toMatchObject({
        Type: "volume",
        Source: "some-gateway",
        Target: "/run/speckit-gateway",
        ReadOnly: true,
        VolumeOptions: { NoCopy: true, Subpath: "jobs/one" },
      });
    },
  );

  test("is a folder of the engine's machine on an older one", () => {
    const mount = { Type: "bind", Target: "/run/speckit-gateway", ReadOnly: true };
    expect(folderMount(volume, { ...asked, apiVersion: "1.44" })).toEqual({
      ...mount,
      Source: "/var/lib/docker/volumes/some-gateway/_data/jobs/one",
    });
    const bound = { ...volume, Options: { type: "none", o: "rw,bind", device: "/srv/gateway" } };
    expect(folderMount(bound, asked)).toEqual({ ...mount, Source: "/srv/gateway/jobs/one" });
  });

  test.each([
    { Driver: "some-cloud" },
    { Options: { type: "nfs", o: "addr=192.0.2.1", device: ":/gateway" } },
    { Options: { type: "tmpfs", device: "tmpfs" } },
  ])("is not to be had of another volume there: %j", (other) => {
    expect(() => folderMount({ ...volume, ...other }, asked)).toThrow(
      /^SPECKIT_GATEWAY_VOLUME: expected a volume of the driver local .*: some-gateway is of/,
    );
  });
});
