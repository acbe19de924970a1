import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { packFile } from "../../../src/adapters/docker/tar/pack-folder.ts";
import { END_OF_ARCHIVE, padding, tarHeader } from "../../../src/adapters/docker/tar/tar-header.ts";

const DOCKERFILE = `
FROM ${process.env.BASE_IMAGE ?? "speckit-base:bookworm"}
COPY node /usr/local/bin/node
`;

/** An image with this machine's Node and nothing of ours. Made once for each version of it. */
export async function testNodeImage(docker: Docker): Promise<string> {
  const state = createHash("sha256").update(DOCKERFILE).update(process.version).digest("hex");
  const image = `speckit-test-node:${state.slice(0, 12)}`;
  const isThere = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!isThere) {
    const said = await text(
      await docker.buildImage(await context(), { t: image, networkmode: "none" }),
    );
    if (said.includes('"error"')) {
      throw new Error(`The test image could not be built: ${said}`);
    }
  }
  return image;
}

async function context(): Promise<NodeJS.ReadableStream> {
  const archive = new PassThrough();
  const write = async () => {
    archive.write(packFile("Dockerfile", DOCKERFILE));
    const { size } = await stat(process.execPath);
    const about = { mode: 0o755, owner: 0, mtimeSeconds: 0 };
    archive.write(tarHeader({ ...about, type: "file", name: "node", bytes: size }));
    for await (const piece of createReadStream(process.execPath)) {
      archive.write(piece);
    }
    archive.write(padding(size));
    archive.end(END_OF_ARCHIVE);
  };
  write().catch((error: Error) => archive.destroy(error));
  return archive;
}
