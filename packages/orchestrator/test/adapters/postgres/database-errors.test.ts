import { describe, expect, test } from "vitest";
import { translateDatabaseError } from "../../../src/adapters/postgres/database-errors.ts";
import { fencedError } from "../../../src/domain/speckit-error.ts";

const coded = (code: string, more: object = {}) =>
  Object.assign(new Error("the server's words"), { code, ...more });

describe("translateDatabaseError", () => {
  test.each([
    "08006",
    "25P03",
    "40P01",
    "53300",
    "55P03",
    "57014",
    "57P01",
    "57P03",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENOTFOUND",
    "ENOENT",
  ])("%s means that the database is away", (code) => {
    const cause = coded(code);
    expect(translateDatabaseError(cause)).toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      class: "transient",
      message: "PostgreSQL: the server's words",
      cause,
    });
  });

  test.each(["28000", "28P01", "3D000", "42501"])("%s means that it refused", (code) => {
    expect(translateDatabaseError(coded(code))).toMatchObject({
      code: "SERVICE_REFUSED",
      class: "permanent",
    });
  });

  test.each([
    ["Connection terminated unexpectedly", "DATABASE_UNAVAILABLE"],
    ["timeout exceeded when trying to connect", "DATABASE_UNAVAILABLE"],
    ["Client has encountered a connection error and is not queryable", "DATABASE_UNAVAILABLE"],
    ["Postgres connection has been discarded", "DATABASE_UNAVAILABLE"],
    ["SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", "SERVICE_REFUSED"],
  ])("what the driver throws without a code: %s", (message, code) => {
    expect(translateDatabaseError(new Error(message))).toMatchObject({ code });
  });

  test("several refused addresses of one host mean that it is away, and a message there is", () => {
    const all = Object.assign(new AggregateError([coded("ECONNREFUSED")], ""), {
      code: "ECONNREFUSED",
    });
    expect(translateDatabaseError(all)).toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: "PostgreSQL: ECONNREFUSED",
    });
  });

  test("everything else stays what it is", () => {
    for (const error of [
      fencedError("r", 1),
      coded("23505"),
      coded("42601"),
      new TypeError("x"),
      "text",
      undefined,
    ]) {
      expect(translateDatabaseError(error)).toBe(error);
    }
  });
});
