import type { AgentPhase } from "../phase.ts";
import type { InstructionsFile } from "./instruction-files.ts";
import type { ProjectSettings } from "./project-settings.ts";

/** A Spec Kit project as `prepare` found it at the base commit; kept with the run. */
export interface SpecKitProject extends ProjectSettings {
  /** Folder of `.specify`, relative to the repository's root; "" for the root itself. */
  readonly directory: string;
  /** Where each asked phase has its instructions. */
  readonly instructions: Readonly<Partial<Record<AgentPhase, InstructionsFile>>>;
  /** Spec Kit's extensions that are installed. */
  readonly extensions: readonly string[];
  /** Hooks of extensions: there are none, they are kept from the agent, or it may carry them out. */
  readonly hooks: "none" | "off" | "on";
  /** Its `specify` records the feature in `.specify/feature.json`; older ones knew no such file. */
  readonly usesFeatureJson: boolean;
  /** It was made by this run: its instructions are at the run's tip, the base commit has none. */
  readonly isNew: boolean;
}
