import { describe, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, isErrorCode } from "../../src/domain/error-codes.ts";
import { dispositionOf, FAILURE_CLASSES, failure } from "../../src/domain/failure.ts";
import {
  failureOf,
  fencedError,
  isSpeckitError,
  SpeckitError,
} from "../../src/domain/speckit-error.ts";

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe("error codes", () => {
  test.each(codes)("%s says its class, when it happens and what to do", (code) => {
    const facts = ERROR_CODES[code];
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(FAILURE_CLASSES).toContain(facts.class);
    for (const sentence of [facts.meaning, facts.remedy]) {
      expect(sentence).toMatch(/^[A-Z`].{9,}\.$/);
    }
  });

  test("are known by name, and nothing else is", () => {
    expect(codes.every(isErrorCode)).toBe(true);
    expect(["toString", "__proto__", "constructor", "", "run_fenced"].some(isErrorCode)).toBe(
      false,
    );
  });
});

describe("dispositions", () => {
  test("follow from the class alone", () => {
    expect(Object.fromEntries(FAILURE_CLASSES.map((name) => [name, dispositionOf(name)]))).toEqual({
      transient: "retry",
      timeout: "retry",
      invalid_output: "retry",
      rate_limited: "wait",
      quota: "wait",
      interrupted: "restart",
      host_lost: "restart",
      needs_input: "pause",
      permanent: "fail",
      bad_message: "reject",
      fenced: "stop",
    });
  });
});

describe("failures", () => {
  test("take class and remedy from the catalogue, unless a better remedy is known", () => {
    const { class: failureClass, remedy } = ERROR_CODES.PUSH_REFUSED;
    expect(failure("PUSH_REFUSED", "no")).toEqual({
      code: "PUSH_REFUSED",
      class: failureClass,
      message: "no",
      remedy,
    });
    expect(failure("PUSH_REFUSED", "no", { remedy: "do" }).remedy).toBe("do");
  });

  test("an error keeps its failure and its cause", () => {
    const cause = new Error("socket");
    const error = new SpeckitError("DATABASE_UNAVAILABLE", "PostgreSQL: socket", { cause });
    expect(error).toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      class: "transient",
      disposition: "retry",
      cause,
    });
    expect(failureOf(error)).toBe(error.failure);
  });

  test("a foreign error is transient, told by its first line", () => {
    expect(failureOf(new TypeError("x is not a function\nat y"))).toMatchObject({
      code: "INTERNAL_ERROR",
      class: "transient",
      message: "Unexpected error: x is not a function",
    });
    expect(failureOf(undefined).message).toBe("Unexpected error: undefined");
  });

  test("an error of another copy of this package is recognised by its shape", () => {
    const copy = Object.assign(new Error("x"), fencedError("r", 1), {
      failure: 1,
      disposition: "stop",
    });
    expect(isSpeckitError(copy)).toBe(true);
    expect([new Error("x"), { failure: 1, disposition: 1 }, null].some(isSpeckitError)).toBe(false);
  });
});
