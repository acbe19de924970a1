import { expect, test } from "vitest";
import { bodyBudget } from "../../../src/adapters/gateway/body-budget.ts";

test("an attempt holds no more than its share, all together no more than there is", () => {
  const budget = bodyBudget({ maxBytes: 100, maxOfOwnerBytes: 60 });
  const [one, other] = [{}, {}];
  using first = budget.hold(one);
  using second = budget.hold(one);
  using third = budget.hold(other);
  expect([first.take(40), second.take(20), second.take(1)]).toEqual([true, true, false]);
  expect([third.take(30), third.take(11), third.take(10)]).toEqual([true, false, true]);
});

test("what a call has held is there for the next", () => {
  const budget = bodyBudget({ maxBytes: 100, maxOfOwnerBytes: 100 });
  for (let ix = 0; ix < 3; ix += 1) {
    using held = budget.hold({});
    expect([held.take(60), held.take(40), held.take(1)]).toEqual([true, true, false]);
  }
});
