import { bodyBlock, isOurTitle, withBlockReplaced } from "../../domain/pull-request/body-block.ts";
import { draftNote } from "./create-pull-request.ts";
import {
  type FoundPullRequest,
  includesName,
  type Outcome,
  type Work,
} from "./pull-request-work.ts";

/** Brings what we wrote up to date, and nothing else. Makes no call where nothing has changed. */
export async function updatePullRequest(work: Work, found: FoundPullRequest): Promise<Outcome> {
  const { client, name, wanted } = work;
  const notes: string[] = [];
  const body = withBlockReplaced(found.body, bodyBlock(wanted.runId, wanted.title, wanted.body));
  if (body === undefined) {
    notes.push("its text was written by people, or leaves no room for ours: it was left as it is");
  }
  const title =
    found.title !== wanted.title && isOurTitle(found.title, found.body) ? wanted.title : undefined;
  const isNewBody = body !== undefined && body !== found.body.replaceAll("\r\n", "\n");
  if (isNewBody || title !== undefined) {
    await client.ask((request) =>
      request("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
        ...name,
        pull_number: found.number,
        ...(isNewBody ? { body } : {}),
        ...(title === undefined ? {} : { title }),
      }),
    );
  }
  if (found.base !== work.base) {
    notes.push(`it goes to ${found.base}, not to ${work.base}: its base was left as it is`);
  }
  if (found.draft && !wanted.draft) {
    notes.push("it is a draft: people mark it ready for review");
  }
  const needsDraftLabel = wanted.draft && !found.draft && (await wasNeverDraft(work, found));
  if (needsDraftLabel) {
    notes.push(draftNote(work));
  }
  return { found, notes, needsDraftLabel };
}

/** A draft that people marked ready has an event for it; one that was refused as a draft has none. */
async function wasNeverDraft(
  { client, name, draftLabel }: Work,
  { number, labels }: FoundPullRequest,
): Promise<boolean> {
  if (includesName(labels, draftLabel)) {
    return true;
  }
  const events = await client.ask((request) =>
    request("GET /repos/{owner}/{repo}/issues/{issue_number}/events", {
      ...name,
      issue_number: number,
      per_page: 100,
    }),
  );
  return !events.some(({ event }) => event === "ready_for_review");
}
