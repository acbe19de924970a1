import type { EventRecord, Failure, Phase, PullRequestRecord } from "@speckit/orchestrator";
import { seconds, styled } from "./style.ts";

const FRAME_MS = 120;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Prints a run's events as people read them: a line per ended phase, and what runs now on a terminal. */
export interface Progress extends Disposable {
  readonly show: (event: EventRecord) => void;
}

/** @param out stdout, or stderr where stdout is for a JSON document */
export function progress(out: NodeJS.WriteStream): Progress {
  const started = new Map<string, Date>();
  const live = liveLine(out);
  return {
    show(event) {
      const key = `${event.phase}/${event.attempt}`;
      if (event.type === "phase.started") {
        started.set(key, event.createdAt);
        live.set(`${event.phase}${event.attempt === 1 ? "" : ` (attempt ${event.attempt})`}`);
        return;
      }
      const since = started.get(key);
      const tookMs = since === undefined ? undefined : event.createdAt.getTime() - since.getTime();
      if (event.type === "phase.proposed") {
        // What follows is people's time.
        started.delete(key);
      }
      const line = lineOf(event, tookMs, out);
      if (line !== undefined) {
        live.set(undefined);
        out.write(`${line}\n`);
      }
    },
    [Symbol.dispose]: () => live.set(undefined),
  };
}

function lineOf(
  event: EventRecord,
  tookMs: number | undefined,
  out: NodeJS.WriteStream,
): string | undefined {
  const { data } = event;
  const told = (mark: string, text: string): string =>
    `${mark} ${(event.phase ?? "").padEnd(12)} ${seconds(tookMs).padStart(7)}  ${text}`.trimEnd();
  switch (event.type) {
    case "phase.succeeded":
      return told(styled("green", "✓", out), successText(event.phase, data));
    case "phase.proposed":
      return told(styled("green", "✓", out), successText(event.phase, data));
    case "phase.failed":
      return told(styled("red", "✗", out), failureText(data));
    case "phase.interrupted":
      return told(styled("yellow", "…", out), "interrupted, starts again");
    case "phase.cancelled":
      return told("-", "cancelled");
    case "run.waiting":
      return `  waiting about ${seconds(Number(data.tierMs))} before the next try`;
    case "run.needs_input":
      return `  ${styled("yellow", "?", out)} ${
        data.kind === "approval"
          ? `${event.phase} waits for approval: ${String(data.file)}`
          : `it asks, round ${String(data.round)}`
      }`;
    case "phase.warning":
      return `  ${styled("yellow", "!", out)} ${String(data.text)}`;
    default:
      return undefined;
  }
}

function successText(phase: Phase | null, data: EventRecord["data"]): string {
  if (phase === "prepare") {
    return `base ${String(data.baseBranch)} at ${String(data.baseSha).slice(0, 12)} → ${String(data.featureDirectory)}`;
  }
  if (phase === "publish") {
    const { files, insertions, deletions } = data.diff as Record<string, number>;
    const pushed = data.pushed === true ? `pushed ${String(data.branch)}` : "nothing pushed";
    return `${pushed} (${files} files, +${insertions} -${deletions})`;
  }
  if (phase === "pull_request") {
    return pullRequestText(data.pullRequest as PullRequestRecord | undefined);
  }
  return data.file === undefined
    ? ""
    : `${String(data.file)} · ${String(data.checksPassed)} checks passed`;
}

function pullRequestText(pullRequest: PullRequestRecord | undefined): string {
  if (pullRequest === undefined) {
    return "nothing to propose";
  }
  const { how, url, notes } = pullRequest;
  return url === null ? (notes[0] ?? how) : `${how} ${url}`;
}

function failureText(data: EventRecord["data"]): string {
  const failure = data.failure as Failure;
  const findings = (failure.findings ?? []).map(
    (finding) => `\n      ${finding.path}: expected ${finding.expected}, found ${finding.found}`,
  );
  return `${failure.code}: ${failure.message}${findings.join("")}`;
}

/** One line that is drawn over and over on a terminal; nothing elsewhere. */
function liveLine(out: NodeJS.WriteStream): { readonly set: (text: string | undefined) => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    set(text) {
      if (!out.isTTY) {
        return;
      }
      clearInterval(timer);
      out.write("\r\u001b[K");
      if (text === undefined) {
        return;
      }
      const since = performance.now();
      let frame = 0;
      timer = setInterval(() => {
        frame += 1;
        out.write(
          `\r\u001b[K${FRAMES[frame % FRAMES.length]} ${text} ${seconds(performance.now() - since)}`,
        );
      }, FRAME_MS);
      timer.unref();
    },
  };
}
