import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SpeckitError } from "@speckit/orchestrator";
import { REQUEST_MAX_BYTES } from "@speckit/orchestrator/contract";
import { readSentence } from "./read-sentence.ts";

/** What the command line can say about a request. */
export interface RequestOptions {
  readonly file?: string;
  readonly agent?: string;
  readonly baseBranch?: string;
  readonly branch?: string;
  readonly featureDirectory?: string;
  readonly projectDirectory?: string;
  readonly phases?: string;
  readonly draft?: boolean;
  readonly label?: readonly string[];
  readonly reviewer?: readonly string[];
  readonly assignee?: readonly string[];
  readonly dryRun?: boolean;
  readonly onQuestions?: string;
  readonly model?: string;
  /** `name=value`, each. */
  readonly option?: readonly string[];
  readonly pauseAfter?: string;
  readonly deadlineMs?: number;
  readonly maxTokens?: number;
  readonly maxUsd?: number;
  readonly runId?: string;
  readonly idempotencyKey?: string;
  readonly externalRef?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** The request a command line stands for; its shape is checked by whoever takes it. */
export async function requestOf(
  repository: string,
  sentence: string | undefined,
  options: RequestOptions,
): Promise<Record<string, unknown>> {
  const { phases, pauseAfter, dryRun, draft } = options;
  const { label = [], reviewer = [], assignee = [] } = options;
  const agent = agentOf(options);
  const limits = pick(options, ["deadlineMs", "maxTokens", "maxUsd"]);
  const request = {
    schemaVersion: 1,
    repository: addressOf(repository),
    specifyText: await readSentence(sentence, options.file),
    ...pick(options, [
      "runId",
      "idempotencyKey",
      "baseBranch",
      "branch",
      "featureDirectory",
      "projectDirectory",
      "externalRef",
      "onQuestions",
    ]),
    ...(Object.keys(agent).length === 0 ? {} : { agent }),
    ...(phases === undefined ? {} : { phases: listOf(phases) }),
    ...(pauseAfter === undefined ? {} : { pauseAfter: listOf(pauseAfter) }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(draft === undefined ? {} : { draft }),
    ...(label.length === 0 ? {} : { labels: label }),
    ...(reviewer.length === 0 ? {} : { reviewers: reviewer }),
    ...(assignee.length === 0 ? {} : { assignees: assignee }),
    ...(dryRun === true ? { dryRun } : {}),
  };
  const bytes = Buffer.byteLength(JSON.stringify(request));
  if (bytes > REQUEST_MAX_BYTES) {
    throw new SpeckitError(
      "REQUEST_TOO_LARGE",
      `The request has ${bytes} bytes, at most ${REQUEST_MAX_BYTES} are taken`,
    );
  }
  return request;
}

function agentOf({ agent, model, option = [] }: RequestOptions): Record<string, unknown> {
  return {
    ...(agent === undefined ? {} : { backend: agent }),
    ...(model === undefined ? {} : { model }),
    ...(option.length === 0 ? {} : { options: Object.fromEntries(option.map(namedValue)) }),
  };
}

/** `name=value`; true, false and numbers mean what they say. */
function namedValue(text: string): readonly [string, string | number | boolean] {
  const at = text.indexOf("=");
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value === "true" || value === "false") {
    return [name, value === "true"];
  }
  return [name, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value];
}

function listOf(names: string): readonly string[] {
  return names.split(",").map((name) => name.trim());
}

/** A path of this machine as an absolute one; everything else as it stands. */
function addressOf(repository: string): string {
  const isPath =
    /^\.{0,2}\//.test(repository) ||
    repository === "." ||
    repository === ".." ||
    (!repository.startsWith("-") && !repository.includes(":") && existsSync(repository));
  return isPath ? resolve(repository) : repository;
}

function pick<K extends keyof RequestOptions>(
  options: RequestOptions,
  names: readonly K[],
): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
