import type { FoundOperation } from "./find-operation.ts";
import {
  isReference,
  type MediaText,
  nameOfReference,
  type OpenApiDocument,
  type ParameterText,
  type ResponseText,
  type Schema,
} from "./load-description.ts";
import { schemaChecks } from "./schema-checks.ts";

/**
 * What of a request GitHub's description does not allow. Stricter than the description in one thing: a
 * parameter or a field that it does not name is a mistake of ours, which GitHub would pass over in silence.
 */
export function checkRequest(
  document: OpenApiDocument,
  { operation, path }: FoundOperation,
  query: URLSearchParams,
  body: unknown,
): readonly string[] {
  const check = schemaChecks(document);
  const parameters = (operation.parameters ?? []).map((parameter) =>
    isReference(parameter)
      ? (document.components.parameters[nameOfReference(parameter)] as ParameterText)
      : parameter,
  );
  const given = { path, query: Object.fromEntries(query), header: undefined };
  const problems = parameters.flatMap(({ in: place, name, required, schema }) => {
    if (place === "header") {
      return [];
    }
    const text = given[place][name];
    if (text === undefined) {
      return required ? [`${place} parameter ${name} is missing`] : [];
    }
    return check(schema, readAs(schema, text)).map((what) => `${place} parameter ${name}: ${what}`);
  });
  const known = parameters.filter(({ in: place }) => place === "query").map(({ name }) => name);
  const unknown = [...query.keys()].filter((name) => !known.includes(name));
  return [
    ...problems,
    ...unknown.map((name) => `query parameter ${name} is not in the description`),
    ...checkBody(document, jsonOf(operation.requestBody?.content)?.schema, body),
  ];
}

function checkBody(
  document: OpenApiDocument,
  schema: Schema | undefined,
  body: unknown,
): readonly string[] {
  if (body === undefined) {
    return [];
  }
  if (schema === undefined) {
    return ["a body is not in the description"];
  }
  const fields =
    typeof body === "object" && !Array.isArray(body) ? Object.keys(body as object) : [];
  const { properties } = schema;
  const unknown =
    typeof properties === "object" && properties !== null
      ? fields.filter((field) => !Object.hasOwn(properties, field))
      : [];
  return [
    ...schemaChecks(document)(schema, body).map((what) => `body: ${what}`),
    ...unknown.map((field) => `body: ${field} is not in the description`),
  ];
}

/** Any operation may be answered so, and the description does not repeat it everywhere. */
const EVERYWHERE = new Set([401, 403, 404, 429, 500, 502, 503, 504]);

/** What of an answer GitHub's description does not allow. */
export function checkAnswer(
  document: OpenApiDocument,
  { operation }: FoundOperation,
  status: number,
  body: unknown,
): readonly string[] {
  const check = schemaChecks(document);
  const told = operation.responses[String(status)];
  if (told === undefined && !EVERYWHERE.has(status)) {
    return [`status ${status} is not in the description`];
  }
  const response: ResponseText | undefined =
    told !== undefined && isReference(told)
      ? document.components.responses[nameOfReference(told)]
      : told;
  const schema =
    jsonOf(response?.content)?.schema ??
    (status >= 400 ? document.components.schemas["basic-error"] : undefined);
  if (schema === undefined) {
    return body === undefined ? [] : ["an answer's body is not in the description"];
  }
  return body === undefined
    ? ["an answer's body is missing"]
    : check(schema, body).map((what) => `answer ${status}: ${what}`);
}

function jsonOf(content: Readonly<Record<string, MediaText>> | undefined): MediaText | undefined {
  return content?.["application/json"];
}

/** Text of a URL as the type it stands for; as it is when it is none. */
function readAs({ type }: Schema, text: string): unknown {
  if (type === "integer" && /^-?\d+$/.test(text)) {
    return Number(text);
  }
  return type === "boolean" && (text === "true" || text === "false") ? text === "true" : text;
}
