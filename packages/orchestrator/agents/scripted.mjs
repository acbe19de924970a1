#!/usr/bin/env node
/**
 * speckit's scripted agent: a stand-in for a coding agent. It carries out Spec Kit's phases
 * `specify`, `plan` and `tasks` in the current directory as a real agent would, by rule instead of
 * by model: demos and tests run the same way a real agent runs, offline and in no time.
 *
 * speckit starts it like any command: prompt on stdin, `SPECKIT_PHASE`, `SPECIFY_FEATURE_DIRECTORY`,
 * `SPECKIT_RUN_ID` and `SPECKIT_ATTEMPT` in the environment. Exit codes: 0 done, 2 it was called or
 * scripted wrongly, anything else on command (below).
 *
 * A file `.scripted-agent.json` in the repository's root makes it misbehave. It holds, by phase, one
 * object or a list of objects; the first that applies to the attempt is followed:
 *
 *   { "plan": { "onlyAttempts": [1], "sleepMs": 5000, "exitCode": 1 }, "tasks": { "omit": ["tasks.md"] } }
 *
 *   onlyAttempts  attempts it applies to, for example [1]; all when it is missing
 *
 * and, in the order they are carried out:
 *
 *   appendTo      absolute path; appends a line `<phase> <attempt> <run id> <pid> <Unix ms>`: counts starts
 *   spawn         command for `sh -c`, started in the background and left alone
 *   printBytes    so many bytes on stdout, without a line end
 *   touchOutside  path in the repository but outside the feature directory; a line is added to it
 *   sleepMs       waits, silently
 *   signal        ends itself by this signal, for example "SIGKILL"
 *   exitCode      ends with this code before it has written anything, unless it is 0
 *   omit          documents not to write, relative to the feature directory, for example ["research.md"]
 *   askQuestion   leaves `[NEEDS CLARIFICATION: …]` in the phase's main document
 *   askQuestions  the same for a list of `{ "text", "context", "answers": [] }` (text alone is needed), and
 *                 puts them to people as Spec Kit's skill does: with suggested answers, as its last words
 *
 * @typedef {{ phase: string, directory: string, attempt: number, runId: string, request: string, answers: string }} Call
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { misbehave } from "./scripted/misbehave.mjs";
import { planDocuments } from "./scripted/plan-documents.mjs";
import { questionSections } from "./scripted/question-sections.mjs";
import { readCall } from "./scripted/read-call.mjs";
import { actionsFor } from "./scripted/script-file.mjs";
import { specifyDocuments } from "./scripted/specify-documents.mjs";
import { tasksDocuments } from "./scripted/tasks-documents.mjs";
import { WrongCall } from "./scripted/wrong-call.mjs";

const DOCUMENTS = { specify: specifyDocuments, plan: planDocuments, tasks: tasksDocuments };

try {
  await work();
} catch (error) {
  if (!(error instanceof WrongCall)) throw error;
  process.stderr.write(`scripted agent: ${error.message}\n`);
  process.exitCode = 2;
}

async function work() {
  const call = await readCall(Object.keys(DOCUMENTS));
  const actions = actionsFor(call.phase, call.attempt);
  say({ type: "message", text: `Scripted agent, ${call.phase}: a stand-in, no model is called` });
  if ((await misbehave(actions, call)) === "stop") return;

  // Paths from the repository's root, main document first.
  const documents = DOCUMENTS[call.phase](call);
  const single = actions.askQuestion === undefined ? [] : [{ text: actions.askQuestion }];
  const asking = [...single, ...(actions.askQuestions ?? [])];
  const omitted = (actions.omit ?? []).map((name) => `${call.directory}/${name}`);
  for (const [index, [path, content]] of Object.entries(documents).entries()) {
    if (omitted.includes(path)) continue;
    const questions = index === 0 ? asking.map(({ text }) => asked(text)).join("") : "";
    const answered = index === 0 && call.phase === "specify" ? clarified(call.answers) : "";
    write(path, `${content}${answered}${questions}`);
  }
  say({ type: "usage", inputTokens: 0, outputTokens: 0, costUsd: 0 });
  const sections = questionSections(actions.askQuestions ?? []);
  say({ type: "message", text: `Done: ${call.phase} of ${call.directory}${sections}` });
}

function write(path, content) {
  const target = join(process.cwd(), path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  say({ type: "file", path, change: "written" });
}

/** What people have answered belongs into the specification. */
function clarified(answers) {
  return answers === "" ? "" : `\n## Clarifications\n\n${answers}\n`;
}

function asked(question) {
  return `\n## Open question\n\n- [NEEDS CLARIFICATION: ${question}]\n`;
}

/** One JSON line in the shape of speckit's agent events. */
function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
