import { expect, test } from "vitest";
import { storeReach } from "../../src/node/store-reach.ts";

function reachOf() {
  const world = { nowMs: 1_000_000, isUp: true, asked: 0, heardMs: Number.NEGATIVE_INFINITY };
  const isReached = storeReach({
    async ask() {
      world.asked += 1;
      if (!world.isUp) {
        throw new Error("away");
      }
    },
    answeredAgoMs: () => world.nowMs - world.heardMs,
    clock: { monotonicMs: () => world.nowMs },
  });
  return { world, isReached };
}

test("a store that answers is asked at most every 15 s, however often somebody looks", async () => {
  const { world, isReached } = reachOf();
  expect(await Promise.all([isReached(), isReached(), isReached()])).toEqual([true, true, true]);
  expect(world.asked).toBe(1);
  world.nowMs += 15_000;
  await isReached();
  expect(world.asked).toBe(1);
  world.nowMs += 1;
  await isReached();
  expect(world.asked).toBe(2);
});

test("what others hear of it counts, and saves the question", async () => {
  const { world, isReached } = reachOf();
  world.isUp = false;
  world.heardMs = world.nowMs - 10_000;
  expect(await isReached()).toBe(true);
  expect(world.asked).toBe(0);
});

test("45 s after its last answer it is not reached, and it is again with the next one", async () => {
  const { world, isReached } = reachOf();
  await isReached();
  world.isUp = false;
  world.nowMs += 45_000;
  expect(await isReached()).toBe(true);
  world.nowMs += 1;
  expect(await isReached()).toBe(false);
  world.isUp = true;
  expect(await isReached()).toBe(true);
});

test("one that has never answered is not reached", async () => {
  const { world, isReached } = reachOf();
  world.isUp = false;
  expect(await isReached()).toBe(false);
});
