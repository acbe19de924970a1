import { openApiDocument } from "@speckit/worker/http-api";
import { stringify } from "yaml";

const HEAD = `# Generated from the worker's resources and their schemas by scripts/generate-docs.mjs: do not edit.
`;

/** docs/openapi.yaml: what a worker answers at GET /v1/openapi.json. */
export function openapi() {
  return HEAD + stringify(openApiDocument(), { lineWidth: 100, aliasDuplicateObjects: false });
}
