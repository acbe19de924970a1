import { mentionsSkills, skillFiles, skillNamesOf } from "../../domain/spec-kit/skill-names.ts";
import type { BaseFiles } from "../../ports/git-workspace.ts";

const MAX_SKILLS = 200;

/**
 * Names of the skills that an agent in a project's folder finds; none are looked up where no text of
 * its prompt could call one.
 */
export async function readSkillNames(
  files: BaseFiles,
  project: string,
  texts: readonly string[],
): Promise<readonly string[]> {
  if (!texts.some(mentionsSkills)) {
    return [];
  }
  const paths = skillFiles(await files.listPaths(), project).slice(0, MAX_SKILLS);
  const names: string[] = [];
  for (const path of paths) {
    names.push(...skillNamesOf(path, (await files.read(path)) ?? ""));
  }
  return [...new Set(names)].sort();
}
