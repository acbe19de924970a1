import { test } from "vitest";
import { expectNoViolation } from "./expect-no-violation.ts";

test("2000 schedules of crashes, cuts and clocks break no invariant", { timeout: 900_000 }, () =>
  expectNoViolation(2001, 2_000),
);
