import { describe } from "vitest";
import { describeApprovals } from "./run-repository/approvals.ts";
import { describeAttempts } from "./run-repository/attempts.ts";
import { describeCommands } from "./run-repository/commands.ts";
import { describeContainers } from "./run-repository/containers.ts";
import { describeCooling } from "./run-repository/cooling.ts";
import { describeEvents } from "./run-repository/events.ts";
import { describeFencing } from "./run-repository/fencing.ts";
import { describeIntake } from "./run-repository/intake.ts";
import { describeLeases } from "./run-repository/leases.ts";
import { describeOutcomes } from "./run-repository/outcomes.ts";
import { describeQuestions } from "./run-repository/questions.ts";
import { describeRetention } from "./run-repository/retention.ts";
import { describeRetries } from "./run-repository/retries.ts";
import type { RunRepositoryFactory } from "./run-repository/subject.ts";
import { describeSweeping } from "./run-repository/sweeping.ts";
import { describeTakeover } from "./run-repository/takeover.ts";

export type { RunRepositoryFactory, RunRepositoryUnderTest } from "./run-repository/subject.ts";

/**
 * What every RunRepository promises, as Vitest tests. Call it at the top of a test file with a
 * factory that makes an empty one; a fake that does not pass it is worse than none.
 *
 * @param name of the implementation, for the report
 */
export function describeRunRepository(name: string, factory: RunRepositoryFactory): void {
  describe(`RunRepository: ${name}`, () => {
    describeIntake(factory);
    describeLeases(factory);
    describeFencing(factory);
    describeAttempts(factory);
    describeOutcomes(factory);
    describeEvents(factory);
    describeSweeping(factory);
    describeTakeover(factory);
    describeCommands(factory);
    describeQuestions(factory);
    describeApprovals(factory);
    describeRetries(factory);
    describeCooling(factory);
    describeContainers(factory);
    describeRetention(factory);
  });
}
