import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { isAbsolute, normalize } from "node:path";
import { WrongCall } from "./wrong-call.mjs";

const FILE = ".scripted-agent.json";
const PHASES = ["specify", "plan", "tasks"];

const isText = (value) => typeof value === "string" && value.trim() !== "";
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isInside = (value) =>
  isText(value) && !isAbsolute(value) && !normalize(value).startsWith("..");
const isListOf = (isOne) => (value) =>
  Array.isArray(value) && value.length > 0 && value.every(isOne);

const isQuestion = (value) =>
  isObject(value) &&
  isText(value.text) &&
  (value.context === undefined || isText(value.context)) &&
  (value.answers === undefined || isListOf(isText)(value.answers));

/** Every action there is: what its value must be, in words and as a check. */
const ACTIONS = {
  onlyAttempts: ["a list of attempt numbers", isListOf((value) => isCount(value) && value > 0)],
  appendTo: ["an absolute path", (value) => isText(value) && isAbsolute(value)],
  spawn: ["a command for sh", isText],
  printBytes: ["a number of bytes", isCount],
  touchOutside: ["a relative path inside the repository", isInside],
  sleepMs: ["a number of milliseconds", isCount],
  signal: ["a signal's name", (value) => Object.hasOwn(constants.signals, value)],
  exitCode: ["a number from 0 to 255", (value) => isCount(value) && value <= 255],
  omit: ["a list of file names", isListOf(isText)],
  askQuestion: ["a text", isText],
  askQuestions: ["a list of questions with a text", isListOf(isQuestion)],
};

/**
 * What `.scripted-agent.json` says about this phase and attempt; nothing when there is no such file.
 * The whole file is checked, whatever the phase.
 *
 * @param {string} phase
 * @param {number} attempt
 * @returns {Record<string, any>}
 */
export function actionsFor(phase, attempt) {
  if (!existsSync(FILE)) return {};
  const script = parse(readFileSync(FILE, "utf8"));
  const entries = Object.entries(script).flatMap(([name, value]) => {
    if (!PHASES.includes(name)) {
      throw wrong(`expected the phases ${PHASES.join(", ")}, got ${JSON.stringify(name)}`);
    }
    const list = Array.isArray(value) ? value : [value];
    for (const entry of list) check(name, entry);
    return name === phase ? list : [];
  });
  return entries.find((entry) => entry.onlyAttempts?.includes(attempt) ?? true) ?? {};
}

function parse(text) {
  let script;
  try {
    script = JSON.parse(text);
  } catch (error) {
    throw wrong(`not JSON: ${error.message}`);
  }
  if (!isObject(script)) throw wrong("expected an object with the phases as keys");
  return script;
}

function check(phase, entry) {
  if (!isObject(entry)) throw wrong(`${phase}: expected an object with actions`);
  for (const [name, value] of Object.entries(entry)) {
    if (!Object.hasOwn(ACTIONS, name)) {
      throw wrong(
        `${phase}: expected the actions ${Object.keys(ACTIONS).join(", ")}, got ${JSON.stringify(name)}`,
      );
    }
    const [words, isRight] = ACTIONS[name];
    if (!isRight(value))
      throw wrong(`${phase}.${name}: expected ${words}, got ${JSON.stringify(value)}`);
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(what) {
  return new WrongCall(`${FILE}: ${what}`);
}
