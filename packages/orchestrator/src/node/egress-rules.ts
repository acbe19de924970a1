import { z } from "zod";
import { type EgressRule, parseEgressRule } from "../domain/egress-rule.ts";
import { SpeckitError } from "../domain/speckit-error.ts";

const EXPECTED =
  "expected host[:port][/tcp][@phase+phase], as packages.example.org, *.example.org:8443 or mirror.example.org:5432/tcp@plan";

/** A line of the allow-list in its written form, which is what processes tell each other. */
export const egressRuleLine = z
  .string()
  .refine((text) => parseEgressRule(text) !== undefined, { error: EXPECTED });

/** @throws SpeckitError `CONFIGURATION_INVALID` */
export function egressRules(lines: readonly string[]): readonly EgressRule[] {
  return lines.map((line) => {
    const rule = parseEgressRule(line);
    if (rule === undefined) {
      const message = `SPECKIT_EGRESS_ALLOW: ${EXPECTED}, got ${JSON.stringify(line.slice(0, 100))}`;
      throw new SpeckitError("CONFIGURATION_INVALID", message);
    }
    return rule;
  });
}
