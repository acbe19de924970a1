import type { RequestListener } from "node:http";
import { expect, test } from "vitest";
import { dockerDiagnosis } from "../../../src/adapters/docker/index.ts";
import { answer, engineThat } from "./engine-that.ts";

const VERSION = { Version: "28.2.2", ApiVersion: "1.50" };
const SUBJECT = {
  deploymentId: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  image: "speckit-job:1",
  gatewayImage: "speckit-worker:1",
  gatewayVolume: undefined,
};

/** Has every image, runs what a job image would say of itself, and the containers that are given. */
function engine({
  says,
  containers = [],
}: {
  readonly says: object;
  readonly containers?: readonly object[];
}): RequestListener {
  const printed = Buffer.from(JSON.stringify(says));
  const frame = Buffer.alloc(8);
  frame.writeUInt8(1, 0);
  frame.writeUInt32BE(printed.length, 4);
  const ended = { Status: "exited", ExitCode: 0, StartedAt: "", FinishedAt: "" };
  return (request, response) => {
    const { pathname, search } = new URL(request.url ?? "", "http://engine");
    const path = pathname.replace(/^\/v[\d.]+/, "");
    const asked = `${request.method} ${path}`;
    const reply = (status: number, body: object) => answer(status, body)(request, response);
    if (asked === "GET /version") {
      reply(200, VERSION);
    } else if (path.startsWith("/images/")) {
      reply(200, { Id: "sha256:0123456789abcdef" });
    } else if (asked === "GET /containers/json") {
      reply(200, search.includes("volume") ? containers : []);
    } else if (asked === "POST /containers/create") {
      reply(201, { Id: "asked" });
    } else if (asked === "GET /containers/asked/json") {
      reply(200, { Id: "asked", State: ended, Config: { Labels: {} } });
    } else if (asked === "GET /containers/asked/logs") {
      response.writeHead(200).end(Buffer.concat([frame, printed]));
    } else if (path.endsWith("/archive")) {
      reply(404, { message: "no such file" });
    } else {
      response.writeHead(204).end();
    }
  };
}

async function diagnosisOf(
  answers: RequestListener,
  more: Partial<Parameters<typeof dockerDiagnosis>[0]> = {},
) {
  await using there = await engineThat(answers);
  const found = await dockerDiagnosis({ ...SUBJECT, ...more, docker: there.docker });
  return Object.fromEntries(found.map(({ check, ...how }) => [check, how]));
}

test("an engine without the job image is told with what to do, and what could not be looked at for it", async () => {
  const found = await diagnosisOf(
    (request, response) =>
      request.url?.includes("/version")
        ? answer(200, VERSION)(request, response)
        : answer(404, { message: "No such image: speckit-job:1" })(request, response),
    { deploymentId: undefined, gatewayImage: "registry.example.org/speckit-worker:1" },
  );
  expect(found["docker.engine"]).toEqual({
    state: "ok",
    found: "Docker 28.2.2 answers (API 1.50)",
  });
  expect(found["docker.image"]).toEqual({
    state: "problem",
    found: "Docker does not have the image speckit-job:1",
    remedy: expect.stringContaining("npm run images"),
  });
  expect(found).toMatchObject({
    "docker.image-check": { state: "skipped" },
    "docker.egress": { state: "skipped" },
    // One of a registry is pulled with the first job, and not by a look.
    "docker.gateway-image": { state: "warning" },
    "docker.gateway": { state: "skipped" },
  });
});

test("an engine that has everything is fine, also where no gateway runs yet", async () => {
  const found = await diagnosisOf(engine({ says: { openWays: [] } }));
  expect(Object.values(found).map(({ state }) => state)).toEqual(Array(6).fill("ok"));
});

test("a container that reaches something outside is a problem", async () => {
  const says = { openWays: ["interface eth0 (172.17.0.2)", "1.1.1.1:443 answers"] };
  const found = await diagnosisOf(engine({ says }));
  expect(found["docker.egress"]).toEqual({
    state: "problem",
    found:
      "a container reaches more than its gateway: interface eth0 (172.17.0.2); 1.1.1.1:443 answers",
    remedy: expect.stringContaining("network of containers"),
  });
});

test("a gateway that is older than its workers is told, and one that does not run where it has to", async () => {
  const Mounts = [{ Name: "speckit-3f2504e0-gateway", RW: true, Destination: "/run/gateway" }];
  const says = { openWays: [] };
  const old = await diagnosisOf(engine({ says, containers: [{ Id: "0123456789abcdef", Mounts }] }));
  expect(old["docker.gateway"]).toEqual({
    state: "problem",
    found: "the gateway in container 0123456789ab is too old: it has no socket for each attempt",
    remedy: expect.stringContaining("Remove the gateway's container"),
  });
  const away = await diagnosisOf(engine({ says }), {
    gatewayVolume: "team_gateway",
    gatewayImage: undefined,
  });
  expect(away["docker.gateway"]).toMatchObject({
    state: "problem",
    remedy: expect.stringContaining("SPECKIT_GATEWAY_VOLUME"),
  });
  expect(away["docker.gateway-image"]?.state).toBe("skipped");
});
