import { defineConfig } from "vitest/config";

/** Tests are told apart by file name: pure ones, and those that need real services, kills or whole programs. */
const tests = (suffix: string) => [`{packages/*,apps/*,bench,docker}/test/**/*${suffix}`];
const slow = ["integration", "fault", "e2e"] as const;

/** A broker takes 8 s to start and a killed worker's lease 30 s to run out; both on a machine with two cores. */
const patience = { testTimeout: 180_000, hookTimeout: 360_000, teardownTimeout: 60_000 };

/**
 * How often a slow test that fails is tried again: `npm test` says once. A promise such as "within a
 * second" cannot be kept by a machine that is busy with other things. What needed it is listed.
 */
const retry = Number(process.env.SPECKIT_TEST_RETRIES ?? 0);

/** Vitest ignores this file unless it is named: `vitest run --config vitest.workspace.ts`. */
const config = defineConfig({
  test: {
    // More workers than cores make every deadline in the slow tests a matter of luck.
    maxWorkers: 2,
    allowOnly: false,
    // Something that all of them need is broken: more of the same says nothing, and takes hours.
    bail: 20,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Quick by themselves; importing the whole library takes seconds on a machine that is busy.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
          include: tests(".test.ts"),
          exclude: slow.flatMap((group) => tests(`.${group}.test.ts`)),
        },
      },
      ...slow.map((group, index) => ({
        extends: true as const,
        test: {
          name: group,
          // One group after the other: a test that kills workers is not run beside one that measures.
          sequence: { groupOrder: index + 1 },
          include: tests(`.${group}.test.ts`),
          pool: "forks" as const,
          retry,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          ...patience,
        },
      })),
    ],
  },
});

export default config;
