/**
 * Agents that know skills take `$name` anywhere in a prompt for a call of the skill of that name, in
 * quotes and code blocks too, and add its whole text. In the words of a request or an answer it is
 * just text.
 */

/** What may stand in a name behind a `$`: the longest run of these is the name. */
const MENTION = /\$([A-Za-z0-9_:-]+)/g;

/**
 * A text in which no skill is called: a space stands between the `$` and the name of each that is
 * known, and of any that is a link's text, where the link's target says which skill. A visible mark
 * on purpose: hidden characters would be copied into documents.
 */
export function escapeSkillNames(text: string, skillNames: readonly string[]): string {
  const names = new Set(skillNames);
  return text
    .replace(MENTION, (whole, name: string) => (names.has(name) ? `$ ${name}` : whole))
    .replace(/\[\$(?=[A-Za-z0-9_:-])/g, "[$ ");
}

/** In `.agents/skills` or `.codex/skills`, in whatever folders below it. */
const SKILL_FILE = /^((?:[^/]+\/)*?)\.(?:agents|codex)\/skills\/(?:[^/]+\/)+SKILL\.md$/;

/** Whether there is anything in a text that could call a skill. */
export function mentionsSkills(text: string): boolean {
  return text.replaceAll("$ARGUMENTS", "").search(MENTION) !== -1;
}

/** Every file of a skill that an agent finds from a project's folder: its own and those above it. */
export function skillFiles(paths: readonly string[], project: string): readonly string[] {
  return paths.filter((path) => {
    const folder = SKILL_FILE.exec(path)?.[1];
    return folder !== undefined && `${project}/`.startsWith(folder);
  });
}

/** A skill is called what its front matter says, or like its folder. */
export function skillNamesOf(path: string, content: string): readonly string[] {
  const frontMatter = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\n---/.exec(content)?.[1] ?? "";
  const name = /^name[ \t]*:[ \t]*(["']?)(.+?)\1[ \t]*\r?$/m.exec(frontMatter)?.[2];
  const folder = path.split("/").at(-2) ?? "";
  return [...new Set([folder, ...(name === undefined ? [] : [name])])];
}
