/**
 * Where a key could have got to, and what is there: each place is read whole by a plain client, never
 * by the code under test, and searched for the key in every form it travels in.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rowsOf, type TestEngine } from "@speckit/testkit";
import { execa } from "execa";

const BETWEEN_LOOKS_MS = 100;

/** All there is at one place. */
export interface Place {
  readonly name: string;
  readonly content: Buffer;
}

/** Names of the places that hold a key in any form. */
export function placesWith(places: readonly Place[], key: string): readonly string[] {
  const forms = formsOf(key);
  return places
    .filter(({ content }) => forms.some((form) => content.includes(form)))
    .map(({ name }) => name);
}

/** As it is, in hexadecimal digits as PostgreSQL shows bytes, for a URL, and in base64 wherever it begins there. */
function formsOf(key: string): readonly string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(key)]).toString("base64");
    // Neighbours share the first character that is not all of the key's, and the last ones.
    return text.slice(before === 0 ? 0 : before + 1, -4);
  });
  return [key, Buffer.from(key).toString("hex"), encodeURIComponent(key), ...inBase64];
}

/** How an image was made, and what it gives to each container of it. */
export async function placesOfImage(engine: TestEngine, image: string): Promise<readonly Place[]> {
  return [
    await told(engine, `history of ${image}`, ["history", "--no-trunc", image]),
    await told(engine, `configuration of ${image}`, ["image", "inspect", image]),
  ];
}

/** A container that runs: what its engine tells of it, and what its processes and its `/tmp` hold. */
export async function placesOfContainer(
  engine: TestEngine,
  name: string,
  id: string,
): Promise<readonly Place[]> {
  const inside = (script: string) => ["exec", id, "sh", "-c", script];
  return [
    await told(engine, `inspect of ${name}`, ["inspect", id]),
    await told(engine, `argv of ${name}`, ["top", id, "-eo", "pid,args"]),
    await told(engine, `environment of ${name}`, inside("cat /proc/[0-9]*/environ")),
    await told(engine, `/tmp of ${name}`, inside("tar -C /tmp -c .")),
    await told(engine, `log of ${name}`, ["logs", id]),
  ];
}

/** Every file of a volume, read through a container that is never started. */
export async function placesOfVolume(
  engine: TestEngine,
  name: string,
  volume: string,
): Promise<readonly Place[]> {
  const mount = `type=volume,source=${volume},target=/searched,volume-nocopy`;
  const args = ["create", "--network", "none", "--mount", mount, engine.image("job"), "true"];
  const id = (await engine.docker(args)).trim();
  try {
    return [await told(engine, `volume of ${name}`, ["cp", `${id}:/searched`, "-"])];
  } finally {
    await engine.docker(["rm", id]);
  }
}

/**
 * Names of the files below the engine's data root that hold one of the keys: layers, volumes, logs and
 * whatever else it keeps. Those that have changed `since` alone: an older one has no key that is new.
 *
 * They are read by a container that has the root as a folder; the keys come to it on its stdin.
 */
export async function filesOfEngine(
  engine: TestEngine,
  keys: readonly string[],
  since: Date,
): Promise<readonly string[]> {
  const root = (await engine.docker(["info", "--format", "{{.DockerRootDir}}"])).trim();
  const search = [
    "cat >/tmp/forms && cd /searched",
    // Others start and remove containers meanwhile: what is gone is passed over.
    '{ find . -xdev -type f -newerct "$0" -print0 >/tmp/files || test -s /tmp/files; }',
    "{ xargs -0 grep -laF -f /tmp/forms -- </tmp/files || test $? -eq 123; }",
  ].join(" && ");
  const args = [
    ...["run", "--rm", "--interactive", "--network", "none", "--user", "0", "--tmpfs", "/tmp"],
    ...["--volume", `${root}:/searched:ro`, "--entrypoint", "sh", engine.image("job")],
    ...["-c", search, `@${Math.floor(since.getTime() / 1_000)}`],
  ];
  const { stdout } = await execa("docker", args, {
    env: { DOCKER_HOST: engine.dockerHost },
    input: `${keys.flatMap(formsOf).join("\n")}\n`,
  });
  return stdout.split("\n").filter(Boolean);
}

/** Every row of every table, as text. */
export async function placesOfDatabase(databaseUrl: string): Promise<readonly Place[]> {
  const tables = await rowsOf<{ name: string }>(
    databaseUrl,
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  return Promise.all(
    tables.map(async ({ name }) => {
      const rows = await rowsOf<{ text: string }>(
        databaseUrl,
        `SELECT to_jsonb(one)::text AS text FROM ${name} AS one`,
      );
      const text = rows.map((row) => row.text).join("\n");
      return { name: `table ${name}`, content: Buffer.from(text) };
    }),
  );
}

/** Every file below a folder. */
export async function placesOfFolder(folder: string): Promise<readonly Place[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    paths.map(async (path) => ({ name: `file ${path}`, content: await readFile(path) })),
  );
}

/** Every object of a git repository, unpacked. */
export async function placesOfRepository(path: string): Promise<readonly Place[]> {
  const args = ["-C", path, "cat-file", "--batch-all-objects", "--batch"];
  const { stdout } = await execa("git", args, { encoding: "buffer" });
  return [{ name: `objects of ${path}`, content: Buffer.from(stdout) }];
}

/** A watch over the arguments of every process of this machine. */
export interface ArgumentWatch {
  /** Resolves when everything that is there now was looked at. */
  readonly untilLooked: () => Promise<void>;
  /** @returns the command lines with the key that were seen */
  readonly stop: () => Promise<readonly Place[]>;
}

/** Looks again and again, since most commands are over in a moment. */
export function watchArguments(key: string): ArgumentWatch {
  const found: Place[] = [];
  let isOver = false;
  const look = async (): Promise<void> => {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const content = await readFile(`/proc/${pid}/cmdline`).catch(() => Buffer.alloc(0));
      const place = { name: content.toString().replaceAll("\0", " ").trimEnd(), content };
      if (placesWith([place], key).length > 0) {
        found.push(place);
      }
    }
  };
  const looking = (async () => {
    while (!isOver) {
      await look();
      await sleep(BETWEEN_LOOKS_MS);
    }
  })();
  return {
    untilLooked: look,
    async stop() {
      isOver = true;
      await looking;
      return found;
    },
  };
}

async function told(engine: TestEngine, name: string, args: readonly string[]): Promise<Place> {
  const { stdout, stderr } = await execa("docker", args, {
    env: { DOCKER_HOST: engine.dockerHost },
    encoding: "buffer",
    maxBuffer: 512 * 1024 * 1024,
  });
  return { name, content: Buffer.concat([stdout, stderr]) };
}
