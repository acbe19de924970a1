import { Complaint } from "../scenario.ts";
import { planDocuments } from "./plan-documents.ts";
import { specifyDocuments } from "./specify-documents.ts";
import type { Task } from "./task.ts";
import { tasksDocuments } from "./tasks-documents.ts";

/** Texts by path, main document first. */
export type Documents = Readonly<Record<string, string>>;

/** What the later phases need of the specification. */
export interface Spec {
  readonly title: string;
  readonly stories: readonly Story[];
}

export interface Story {
  readonly number: number;
  readonly name: string;
  readonly priority: string;
}

/** Where the work is done, and what is known of it. */
export interface Setting {
  readonly directory: string;
  /** What a tool has shown: the specification, for the phases after `specify`. */
  readonly seen: string;
  /** Two questions stay open. */
  readonly asks: boolean;
}

export function documentsOf(task: Task, setting: Setting): Documents {
  switch (task.phase) {
    case "specify":
      return specifyDocuments(task, setting);
    case "plan":
      return planDocuments(setting.directory, readSpec(setting.seen));
    case "tasks":
      return tasksDocuments(setting.directory, readSpec(setting.seen));
  }
}

/** @throws Complaint when what a tool has shown is no specification */
function readSpec(seen: string): Spec {
  const title = /^# Feature Specification: (.+)$/m.exec(seen)?.[1]?.trim();
  const stories = [...seen.matchAll(/^### User Story (\d+) - (.+) \(Priority: (P\d+)\)/gm)].map(
    ([, number, name = "", priority = ""]) => ({ number: Number(number), name, priority }),
  );
  if (title === undefined || stories.length === 0) {
    throw new Complaint("the specification could not be read by a tool");
  }
  return { title, stories };
}
