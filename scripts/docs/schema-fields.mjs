import { z } from "zod";
import { code, table } from "./markdown.mjs";

/** The fields of a zod object as a table: name, type, whether required, meaning. */
export function schemaFields(schema) {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const required = new Set(json.required ?? []);
  return table(
    ["field", "type", "", "meaning"],
    Object.entries(json.properties).map(([name, property]) => [
      code(name),
      typeOf(property),
      required.has(name) ? "required" : "",
      property.description ?? "",
    ]),
  );
}

function typeOf(property) {
  if (property.const !== undefined) return code(JSON.stringify(property.const));
  if (property.enum !== undefined) return property.enum.map((item) => code(item)).join(", ");
  if (property.anyOf !== undefined) return property.anyOf.map(typeOf).join(" or ");
  if (property.type === "array") return `list of ${typeOf(property.items)}`;
  if (property.type === "object" && property.properties !== undefined) {
    const names = Object.entries(property.properties).map(
      ([name, inner]) => `${code(name)} ${typeOf(inner)}`,
    );
    return `object: ${names.join(", ")}`;
  }
  return property.format ?? [property.type ?? "any"].flat().join(" or ");
}
