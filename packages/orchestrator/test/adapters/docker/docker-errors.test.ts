import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, test } from "vitest";
import { askEngine } from "../../../src/adapters/docker/ask-engine.ts";
import { engineError } from "../../../src/adapters/docker/docker-errors.ts";
import { getJson } from "../../../src/adapters/docker/get-json.ts";
import { connectDocker, pingEngine } from "../../../src/adapters/docker/index.ts";
import { answer, engineThat } from "./engine-that.ts";

describe("an engine", () => {
  test("that is not there is unavailable", async () => {
    const host = "unix:///nonexistent/docker.sock";
    await expect(pingEngine(connectDocker({ host }))).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      class: "transient",
      message: expect.stringContaining("ENOENT"),
    });
    await expect(pingEngine(connectDocker({ host: "tcp://127.0.0.1:1" }))).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
  });

  test("that takes a call and never answers does not hold up its caller", async () => {
    const server = createTcpServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const docker = connectDocker({ host: `tcp://127.0.0.1:${port}` });
    const asked = askEngine(
      "tell a story",
      (abortSignal) => getJson(docker, "/_ping", abortSignal),
      {
        deadlineMs: 200,
      },
    );
    await expect(asked).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("tell a story"),
    });
    server.close();
  });

  test("that is too old is named with what it speaks", async () => {
    await using engine = await engineThat(answer(200, { Version: "19.03.15", ApiVersion: "1.40" }));
    await expect(pingEngine(engine.docker)).rejects.toMatchObject({
      code: "ENGINE_TOO_OLD",
      message: "Docker 19.03.15 speaks API 1.40, expected 1.41 or newer",
    });
  });

  test("that is new enough says what it is", async () => {
    await using engine = await engineThat(answer(200, { Version: "28.2.2", ApiVersion: "1.50" }));
    expect(await pingEngine(engine.docker)).toEqual({ version: "28.2.2", apiVersion: "1.50" });
  });
});

describe("an error of the engine", () => {
  const told = (statusCode: number, message: string) =>
    engineError(Object.assign(new Error(message), { statusCode, json: { message } }), "work");

  test.each([
    [500, "write /x: no space left on device", "ENGINE_NO_SPACE"],
    [404, "No such image: speckit-job:1", "IMAGE_MISSING"],
    [
      400,
      'OCI runtime create failed: exec: "speckit-job": executable file not found in $PATH: unknown',
      "IMAGE_UNUSABLE",
    ],
    [
      400,
      "client version 1.41 is too new. Maximum supported API version is 1.40",
      "ENGINE_TOO_OLD",
    ],
    [403, "denied by a proxy", "ENGINE_FORBIDDEN"],
    [500, "something else", "ENGINE_FAILED"],
  ])("%i %s is %s", (status, message, code) => {
    expect(told(status, message)).toMatchObject({ code });
  });

  test.each([
    ["EACCES", "ENGINE_FORBIDDEN"],
    ["ECONNREFUSED", "ENGINE_UNAVAILABLE"],
    ["ECONNRESET", "ENGINE_UNAVAILABLE"],
    ["CERT_HAS_EXPIRED", "ENGINE_FORBIDDEN"],
  ])("%s on the way to it is %s", (errno, code) => {
    expect(engineError(Object.assign(new Error(errno), { code: errno }), "work")).toMatchObject({
      code,
    });
  });

  test("is named with what was asked for", () => {
    expect(told(500, "a\nb")).toMatchObject({ message: "Docker could not work: a b" });
  });
});

describe("the address of an engine", () => {
  test("is taken in Docker's own words, and nothing from the environment", () => {
    const { modem } = connectDocker({ host: "unix:///run/other.sock" });
    expect(modem).toMatchObject({ socketPath: "/run/other.sock", host: undefined });
    expect(connectDocker({ host: "tcp://10.0.0.1:2375" }).modem).toMatchObject({
      protocol: "http",
      host: "10.0.0.1",
      port: 2375,
    });
    expect(connectDocker({ host: "10.0.0.1", tlsVerify: true }).modem).toMatchObject({
      protocol: "https",
      port: 2376,
    });
  });

  test.each(["nonsense://x", "tcp://", "unix:/x", "ssh://me@far"])(
    "that is none is refused: %s",
    (host) => {
      expect(() => connectDocker({ host })).toThrow("DOCKER_HOST: expected");
    },
  );

  test("with certificates that are not there is refused, naming the file", () => {
    const address = { host: "tcp://h:2376", tlsVerify: true, certPath: "/nowhere" };
    expect(() => connectDocker(address)).toThrow("/nowhere/ca.pem cannot be read");
  });
});
