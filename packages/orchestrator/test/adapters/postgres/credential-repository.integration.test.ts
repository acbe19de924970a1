import { testDatabase } from "@speckit/testkit";
import { describeCredentialRepository } from "../../../src/testing/credential-repository-contract.ts";
import { postgresSubject } from "./postgres-subject.ts";

const database = await testDatabase();

describeCredentialRepository("postgres", postgresSubject(database.url));
