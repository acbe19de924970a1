import type { AgentPhase } from "@speckit/orchestrator";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { documentText } from "../noop/document-text.ts";

/** What an agent that has nothing to think about writes, below the feature directory. */
const WRITTEN: Readonly<Record<AgentPhase, readonly string[]>> = {
  specify: ["spec.md", "checklists/requirements.md"],
  plan: ["plan.md", "research.md", "quickstart.md"],
  tasks: ["tasks.md"],
};

/** Says a byte at once, then puts the phase's documents where they belong. */
const AGENT = `echo begun
mkdir -p .specify "$SPECIFY_FEATURE_DIRECTORY"
cp -R "noop/$SPECKIT_PHASE/." "$SPECIFY_FEATURE_DIRECTORY/"
printf '{"feature_directory":"%s"}' "$SPECIFY_FEATURE_DIRECTORY" > .specify/feature.json
`;

/** The command of every phase, in the workspace; the same with us and without. */
export const NOOP_COMMAND = ["sh", "noop/agent.sh"] as const;

/** The sample project, with an agent that does next to nothing as a program of its own. */
export function makeNoopRemote(folder: string): Promise<string> {
  const files: Record<string, string> = { "noop/agent.sh": AGENT };
  for (const [phase, names] of Object.entries(WRITTEN)) {
    for (const name of names) {
      files[`noop/${phase}/${name}`] = documentText(name, "") ?? "";
    }
  }
  return makeSampleRemote(folder, files);
}
