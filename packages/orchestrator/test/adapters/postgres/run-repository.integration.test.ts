import { testDatabase } from "@speckit/testkit";
import { describeRunRepository } from "../../../src/testing/run-repository-contract.ts";
import { postgresSubject } from "./postgres-subject.ts";

const database = await testDatabase();

describeRunRepository("postgres", postgresSubject(database.url));
