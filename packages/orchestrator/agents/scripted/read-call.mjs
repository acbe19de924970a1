import { WrongCall } from "./wrong-call.mjs";

const ANSWERS_HEADING = "### What people have answered";
const REQUEST_HEADING = "### The request, word for word";

/**
 * What this start is to do, from the environment and the prompt on stdin.
 *
 * @param {string[]} phases the phases there are
 * @returns {Promise<import("../scripted.mjs").Call>}
 */
export async function readCall(phases) {
  const phase = required("SPECKIT_PHASE");
  if (!phases.includes(phase)) {
    throw new WrongCall(`SPECKIT_PHASE: expected ${phases.join(", ")}, got ${phase}`);
  }
  const directory = required("SPECIFY_FEATURE_DIRECTORY");
  if (!/^specs\/[A-Za-z0-9-]+$/.test(directory)) {
    throw new WrongCall(`SPECIFY_FEATURE_DIRECTORY: expected specs/<name>, got ${directory}`);
  }
  const attempt = Number(required("SPECKIT_ATTEMPT"));
  const runId = required("SPECKIT_RUN_ID");
  const prompt = await readStdin();
  const request = requestIn(prompt);
  if (phase === "specify" && request === "") {
    throw new WrongCall(`the prompt on stdin has no quoted text below "${REQUEST_HEADING}"`);
  }
  return { phase, directory, attempt, runId, request, answers: answersIn(prompt) };
}

/** The list below the last such heading, as it stands: each question with its quoted answer. */
function answersIn(prompt) {
  const start = prompt.lastIndexOf(`\n${ANSWERS_HEADING}\n`);
  if (start === -1) return "";
  const [, ...sections] = prompt.slice(start).split(/^(?=- )/m);
  return sections.join("").split(/^#/m)[0].trim();
}

/** The quoted lines below the last such heading: speckit's own part comes last. */
function requestIn(prompt) {
  const start = prompt.lastIndexOf(`\n${REQUEST_HEADING}\n`);
  if (start === -1) return "";
  const lines = prompt.slice(start + REQUEST_HEADING.length + 2).split("\n");
  const first = lines.findIndex((line) => line.startsWith(">"));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith(">"));
  return lines
    .slice(first, end === -1 ? undefined : end)
    .map((line) => line.replace(/^> ?/, ""))
    .join("\n")
    .trim();
}

async function readStdin() {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const piece of process.stdin) text += piece;
  return text;
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new WrongCall(`${name} is not set; speckit sets it`);
  return value;
}
