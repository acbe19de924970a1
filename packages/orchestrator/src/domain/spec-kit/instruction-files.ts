import type { AgentPhase } from "../phase.ts";
import { inRepository } from "./project-path.ts";

/** A file that holds Spec Kit's instructions for a phase. */
export interface InstructionsFile {
  /**
   * `skill`: in `.agents/skills`, where agents that know skills find it by its name. `prompt`:
   * everything else; its text has to be given to the agent.
   */
  readonly kind: "skill" | "prompt";
  /** What the file calls the command: `speckit-plan`, `speckit.plan`, or `plan` in the oldest ones. */
  readonly name: string;
  /** From the repository's root. */
  readonly path: string;
}

/** Where Spec Kit puts an agent's files, unless it is the agent's own name behind a dot. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  amp: [".agents"],
  auggie: [".augment"],
  copilot: [".github"],
  "cursor-agent": [".cursor"],
  droid: [".factory"],
  kimi: [".kimi-code", ".kimi"],
  "kiro-cli": [".kiro"],
  q: [".amazonq"],
};

/** A file's name as some Spec Kit has made it for some agent. */
const NAME =
  /^(?:speckit-(?<skill>[a-z]+)\/SKILL\.md|(?<prefix>speckit[.-])?(?<command>[a-z]+)(?:\.agent|\.prompt)?\.(?:md|toml))$/;
/** Folders of commands; a bare `plan.md` anywhere else is just a plan. */
const COMMAND_FOLDERS = ["agents", "command", "commands", "prompts", "workflows"];
const NEVER = 99;

/**
 * Every file that may hold the instructions of a phase, best first: the project's own before those
 * of the repository's root; the skill, then Codex's prompt files, then those of the agent the
 * project was set up for, then any other agent's. They say the same in other wrappings.
 *
 * @param paths every file of the commit
 * @param agent as the project's settings name it
 */
export function instructionFiles(
  phase: AgentPhase,
  paths: readonly string[],
  project: { readonly directory: string; readonly agent: string | null },
): readonly InstructionsFile[] {
  const folders = project.directory === "" ? [""] : [project.directory, ""];
  const ranked = folders.flatMap((folder) => {
    const prefix = inRepository(folder, "");
    return paths.flatMap((path) => {
      const file = path.startsWith(prefix) ? judge(phase, path.slice(prefix.length)) : undefined;
      if (file === undefined) {
        return [];
      }
      const rank = rankOf(file, project.agent, folder === project.directory);
      return rank === NEVER ? [] : [{ ...file, path, rank }];
    });
  });
  const inFolder = (path: string) => (path.startsWith(inRepository(project.directory, "")) ? 0 : 1);
  const unique = new Map(ranked.map((file) => [file.path, file]));
  return [...unique.values()]
    .sort(
      (a, b) =>
        inFolder(a.path) - inFolder(b.path) || a.rank - b.rank || (a.path < b.path ? -1 : 1),
    )
    .map(({ kind, name, path }) => ({ kind, name, path }));
}

interface Judged {
  readonly kind: InstructionsFile["kind"];
  readonly name: string;
  /** First folder of its path: whose agent's it is. */
  readonly top: string;
  /** Its name says that it is Spec Kit's. */
  readonly isNamed: boolean;
}

function judge(phase: AgentPhase, path: string): Judged | undefined {
  const parts = path.split("/");
  const [top = "", ...rest] = parts;
  const last = parts.at(-1) ?? "";
  const name = last === "SKILL.md" ? parts.slice(-2).join("/") : last;
  const { skill, prefix = "", command } = NAME.exec(name)?.groups ?? {};
  if ((skill ?? command) !== phase || /\p{C}/u.test(path)) {
    return undefined;
  }
  if (rest.length === 0 || top === ".specify" || top === "specs") {
    return undefined;
  }
  if (skill !== undefined) {
    const isCommon = path === `.agents/skills/speckit-${phase}/SKILL.md`;
    return { kind: isCommon ? "skill" : "prompt", name: `speckit-${phase}`, top, isNamed: true };
  }
  const isNamed = prefix !== "";
  return isNamed || COMMAND_FOLDERS.includes(parts.at(-2) ?? "")
    ? { kind: "prompt", name: `${prefix}${phase}`, top, isNamed }
    : undefined;
}

/** The less the better. */
function rankOf(file: Judged, agent: string | null, isInProject: boolean): number {
  if (file.kind === "skill") {
    return 0;
  }
  const bare = file.isNamed ? 0 : 1;
  const own = agent === null ? [] : (FOLDERS[agent] ?? [`.${agent}`]);
  if (file.top === ".codex") {
    return 1 + bare;
  }
  if (own.includes(file.top)) {
    return 3 + bare;
  }
  if (file.top.startsWith(".")) {
    return 5 + bare;
  }
  // A folder of the project's own choice; only what is named for Spec Kit can be told from others.
  return file.isNamed && isInProject ? 7 : NEVER;
}
