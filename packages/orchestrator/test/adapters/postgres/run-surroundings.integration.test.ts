import { testDatabase } from "@speckit/testkit";
import { describeRunSurroundings } from "../../../src/testing/run-surroundings-contract.ts";
import { postgresSubject } from "./postgres-subject.ts";

const database = await testDatabase();

describeRunSurroundings("postgres", postgresSubject(database.url));
