import type { rules as presetRules } from "@secretlint/secretlint-rule-preset-recommend";

const RULE = "@secretlint/secretlint-rule-";

/**
 * Lets a text turn rules off by a comment: an agent could too.
 */
const LEFT_OUT = [`${RULE}filter-comments`];

/**
 * Addresses with a password for a service of this machine, of a composed network (a name without a dot)
 * or of a name kept for examples: documents are full of them, and they open nothing.
 */
const EXAMPLE_ADDRESS =
  "/@(?:localhost|127\\.0\\.0\\.1|0\\.0\\.0\\.0|\\[::1\\]|host\\.docker\\.internal|[A-Za-z0-9_-]+|(?:[A-Za-z0-9_-]+\\.)*(?:example(?:\\.(?:com|net|org))?|test|invalid|localhost))(?=[:\\/?#\"'`),;\\s]|$)/";

/** What differs from the preset, by rule. */
const OPTIONS: Readonly<Record<string, object>> = {
  [`${RULE}aws`]: {
    // The id of a key says that its secret is not far.
    options: { enableIDScanRule: true, allows: ["/EXAMPLE$/", "/^[A-Z0-9]{4}(.)\\1{15}$/"] },
    allowMessageIds: ["AWSAccountID"],
  },
  [`${RULE}basicauth`]: { options: { allows: [EXAMPLE_ADDRESS] } },
  [`${RULE}database-connection-string`]: { options: { allows: [EXAMPLE_ADDRESS] } },
};

type PresetRules = typeof presetRules;

/** The recommended rules of Secretlint as this deployment uses them. */
export function secretlintRules(
  rules: PresetRules,
): { readonly id: string; readonly rule: PresetRules[number] }[] {
  return rules
    .filter(({ meta }) => !LEFT_OUT.includes(meta.id))
    .map((rule) => ({ id: rule.meta.id, rule, ...OPTIONS[rule.meta.id] }));
}
