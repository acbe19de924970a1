import { readFileSync } from "node:fs";

/** What is read of an OpenAPI 3.0 document. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationText>>>>;
  readonly components: {
    readonly schemas: Record<string, Schema>;
    readonly parameters: Readonly<Record<string, ParameterText>>;
    readonly responses: Readonly<Record<string, ResponseText>>;
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
  };
}

export type Schema = { [key: string]: unknown };

export interface Reference {
  readonly $ref: string;
}

export interface OperationText {
  readonly parameters?: readonly (ParameterText | Reference)[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaText>> };
  readonly responses: Readonly<Record<string, ResponseText | Reference>>;
}

export interface ParameterText {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface ResponseText {
  readonly content?: Readonly<Record<string, MediaText>>;
}

export interface MediaText {
  readonly schema?: Schema;
}

/** Of github.com, or of an Enterprise Server's release. */
export type DescriptionName = "api.github.com" | "ghes-3.17" | "ghes-3.19";

const loaded = new Map<DescriptionName, OpenApiDocument>();

/**
 * GitHub's own description of its REST API, from `@octokit/openapi`: 13 MB, read once in a process.
 * What its schemas say in OpenAPI's dialect alone is put into JSON Schema's.
 */
export function loadDescription(name: DescriptionName): OpenApiDocument {
  const present = loaded.get(name);
  if (present !== undefined) {
    return present;
  }
  // Not its entry: that reads every description there is, 400 MB of them.
  const file = new URL(
    `generated/${name}.json`,
    import.meta.resolve("@octokit/openapi/package.json"),
  );
  const document = JSON.parse(readFileSync(file, "utf8")) as OpenApiDocument;
  loaded.set(name, document);
  return document;
}

export function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "$ref" in value;
}

/** The last part of a reference: `#/components/parameters/owner` is `owner`. */
export function nameOfReference({ $ref }: Reference): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}
