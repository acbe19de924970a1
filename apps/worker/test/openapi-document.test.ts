import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { openApiDocument } from "../src/http/openapi-document.ts";

test("the document is valid OpenAPI 3.1, and the validator knows a bad one", async () => {
  const validator = new Validator();
  const document = structuredClone(openApiDocument()) as Record<string, unknown>;
  expect(await validator.validate(document)).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  expect(await new Validator().validate({ ...document, paths: { "no-slash": {} } })).toMatchObject({
    valid: false,
  });
});

test("each path has one reading operation, and every reference leads somewhere", () => {
  const document = structuredClone(openApiDocument()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  expect(Object.entries(document.paths).map(([path, item]) => [path, Object.keys(item)])).toEqual(
    [
      "/v1/runs",
      "/v1/runs/{runId}",
      "/v1/runs/{runId}/artifacts",
      "/v1/runs/{runId}/events",
      "/v1/runs/{runId}/explanation",
      "/v1/stats",
      "/v1/openapi.json",
    ].map((path) => [path, ["get"]]),
  );
  const text = JSON.stringify(document);
  for (const [, reference = ""] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = reference
      .split("/")
      .reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], document);
    expect(found, reference).toBeTypeOf("object");
  }
});
