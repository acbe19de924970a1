import { readEnvironment } from "@speckit/orchestrator/node";
import { runDaemon } from "../src/run-daemon.ts";
import { reachByPlan } from "./failpoint-plan.ts";

/** The worker daemon with failpoints: its one argument is the folder of their plan. */
const [, , folder = ""] = process.argv;
process.exitCode = await runDaemon(readEnvironment(process.env), { reach: reachByPlan(folder) });
