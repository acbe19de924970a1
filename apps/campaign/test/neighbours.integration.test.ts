import { testEngine } from "@speckit/testkit";
import { expect, test } from "vitest";
import { makeNeighbours } from "../src/neighbours.ts";

test("whatever happens to a neighbour is told", async () => {
  const engine = testEngine();
  await using neighbours = await makeNeighbours(engine);
  expect(await neighbours.check()).toEqual([]);
  const [ofDeployment = "", ofNobody = ""] = neighbours.names;
  await engine.docker(["restart", "--time", "0", ofNobody]);
  expect(await neighbours.check()).toEqual([
    expect.stringMatching(/^the container of nobody is no more what it was: /),
  ]);
  await engine.docker(["rm", "--force", ofDeployment]);
  await engine.docker(["volume", "rm", ofDeployment]);
  await engine.docker(["network", "rm", ofDeployment]);
  expect((await neighbours.check()).filter((line) => line.endsWith(": gone"))).toEqual(
    ["container", "volume", "network"].map(
      (kind) => `the ${kind} of another deployment is no more what it was: gone`,
    ),
  );
});
