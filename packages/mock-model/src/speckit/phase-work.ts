import { readConversation } from "../protocol/conversation.ts";
import { quoted, type Tools, toolsOf } from "../protocol/tools.ts";
import { message, type OutputItem, turn } from "../protocol/turn.ts";
import { Complaint, type Scenario } from "../scenario.ts";
import { type Documents, documentsOf } from "./documents.ts";
import { questionTables } from "./questions.ts";
import { readTask, type Task } from "./task.ts";

/** Main document of a phase, and the template it is made from. */
const MAIN = { specify: "spec", plan: "plan", tasks: "tasks" } as const;

/**
 * Carries out the phase of Spec Kit whose instructions are in the request, by the agent's own tools:
 * looks where it is and what there is, writes the phase's documents one by one, and looks whether
 * they are there. Which of these steps comes next follows from the tools' outputs so far.
 *
 * @param how.asks `specify` leaves two questions open until people have answered
 * @param how.firstLeavesTemplate the main document is the raw template until the prompt says what to repair
 */
export function phaseWork(how: {
  readonly asks?: boolean;
  readonly firstLeavesTemplate?: boolean;
}): Scenario {
  return ({ body }) => {
    const conversation = readConversation(body);
    const task = readTask(conversation);
    const { outputs } = conversation;
    const tools = toolsOf(body, conversation.callsSoFar + 1);
    const [seen] = outputs;
    if (seen === undefined) {
      return turn(tools.run(look(task)));
    }
    const directory = directoryOf(task, seen);
    const asks = how.asks === true && task.phase === "specify" && task.answers === undefined;
    const documents = documentsOf(task, { directory, seen, asks });
    const rawMain = how.firstLeavesTemplate === true && !task.isRepair;
    const steps = [
      ...Object.entries(documents).map(([path, text], index) =>
        rawMain && index === 0 ? copyTemplate(tools, task, path) : tools.write(path, text),
      ),
      tools.run(`ls -d ${Object.keys(documents).map(quoted).join(" ")}`),
    ];
    const next = steps[outputs.length - 1];
    if (next !== undefined) {
      return turn(next);
    }
    checkListed(documents, outputs.at(-1) ?? "");
    return turn(message(asks ? questionTables() : `The phase ${task.phase} is done.`));
  };
}

/** Where the environment says to work, and what the earlier phase has left there. */
function look({ phase, directory = "" }: Task): string {
  const named = `printf 'feature directory: %s\\n' "$SPECIFY_FEATURE_DIRECTORY"`;
  return phase === "specify"
    ? named
    : `${named}; cat "\${SPECIFY_FEATURE_DIRECTORY:-"${directory}"}/spec.md"`;
}

/** The prompt and the environment of the tools name the same directory, or only one of them names any. */
function directoryOf(task: Task, seen: string): string {
  const fromTools = /^feature directory: (\S+)$/m.exec(seen)?.[1];
  const directory = task.directory ?? fromTools;
  if (directory === undefined) {
    throw new Complaint("neither the prompt nor the tools' environment names a feature directory");
  }
  if (fromTools !== undefined && fromTools !== directory) {
    throw new Complaint(`the prompt names ${directory}, the tools' environment ${fromTools}`);
  }
  return directory;
}

function copyTemplate(tools: Tools, { phase }: Task, path: string): OutputItem {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const template = `.specify/templates/${MAIN[phase]}-template.md`;
  return tools.run(`mkdir -p ${quoted(folder)} && cp ${template} ${quoted(path)}`);
}

/** What a tool was asked to write is there, as another tool sees it. */
function checkListed(documents: Documents, listing: string): void {
  const lines = listing.split("\n").map((line) => line.trim());
  const absent = Object.keys(documents).filter((path) => !lines.includes(path));
  if (absent.length > 0) {
    throw new Complaint(`written by a tool, and not there: ${absent.join(", ")}`);
  }
}
