import { extname } from "node:path";
import type { SecretScanner } from "../../ports/secret-scanner.ts";
import { MORE_PATTERNS } from "./more-patterns.ts";
import { secretlintRules } from "./secretlint-rules.ts";

/** Loads Secretlint when it is first asked: most commands never do. */
export function secretlintScanner(): SecretScanner {
  let loading: ReturnType<typeof load> | undefined;
  return {
    async scan(path, text) {
      loading ??= load();
      const { lintSource, rules } = await loading;
      const { messages } = await lintSource({
        source: { filePath: path, ext: extname(path), content: text, contentType: "text" },
        options: { config: { rules }, maskSecrets: true, noPhysicFilePath: true },
      });
      const found = messages.map(
        ({ ruleId, messageId, range: [start, end] }): Match => ({
          rule: `${ruleId.replace(/^@secretlint\/secretlint-rule-/, "")}/${messageId}`,
          start,
          end,
        }),
      );
      const more = moreIn(text).filter(
        ({ start, end }) => !found.some((one) => one.start < end && start < one.end),
      );
      return [...found, ...more]
        .sort((one, other) => one.start - other.start)
        .map(({ rule, start, end }) => ({
          rule,
          line: text.slice(0, start).split("\n").length,
          secret: text.slice(start, end),
        }));
    },
  };
}

interface Match {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

function moreIn(text: string): readonly Match[] {
  return MORE_PATTERNS.flatMap(({ rule, pattern }) =>
    [...text.matchAll(pattern)].map((match) => ({
      rule,
      start: match.index,
      end: match.index + match[0].length,
    })),
  );
}

async function load() {
  const [{ lintSource }, preset] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
  ]);
  return { lintSource, rules: secretlintRules(preset.rules) };
}
