import type { Diagnosis, ExitCode, RuntimeChoice } from "@speckit/orchestrator";
import { diagnose, readEnvironment } from "@speckit/orchestrator/node";
import { visible } from "../output/visible.ts";

const MARKS = { ok: "ok      ", warning: "warning ", problem: "problem " } as const;

/** `speckit doctor`: what runs need on this machine, each thing looked at, with what to do about it. */
export async function doctorCommand(options: {
  readonly json?: boolean;
  readonly unsafe?: boolean;
  readonly runtime?: RuntimeChoice;
}): Promise<ExitCode> {
  const config = readEnvironment(process.env);
  const found = await diagnose({
    ...config,
    ...(options.unsafe === true ? { unsafe: true } : {}),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  });
  process.stdout.write(
    options.json === true ? `${JSON.stringify(found)}\n` : found.map(asLines).join(""),
  );
  return found.some(({ state }) => state === "problem") ? 78 : 0;
}

function asLines({ check, state, found, remedy }: Diagnosis): string {
  const lines = [`${MARKS[state]} ${check}: ${found}`];
  if (remedy !== undefined && state !== "ok") {
    lines.push(`         ${remedy}`);
  }
  return `${visible(lines.join("\n"))}\n`;
}
