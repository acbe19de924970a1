import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type {
  PullRequest,
  PullRequestHost,
  PullRequestStep,
  WantedPullRequest,
} from "../ports/pull-request-host.ts";

/** A pull request as people see it. */
export interface SeenPullRequest {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly base: string;
  readonly draft: boolean;
  readonly state: PullRequest["state"];
  readonly labels: readonly string[];
  /** Teams as `org/team`. */
  readonly reviewers: readonly string[];
  readonly assignees: readonly string[];
}

/**
 * A host with one repository of the owner `acme` and a branch `main`; `ada` is a member of it, and so is
 * the team `acme/core`.
 */
export interface PullRequestHostUnderTest extends AsyncDisposable {
  readonly host: PullRequestHost;
  readonly gitRemote: string;
  /** Another host's. */
  readonly foreignRemote: string;
  /** Adds a commit to a branch; a new one begins at `main`. */
  readonly push: (branch: string) => Promise<void>;
  readonly pullRequests: () => readonly SeenPullRequest[];
  readonly allowDrafts: (allowed: boolean) => void;
  /** What people do. */
  readonly people: {
    readonly edit: (number: number, to: { title?: string; body?: string; base?: string }) => void;
    readonly close: (number: number) => void;
    readonly merge: (number: number) => void;
    readonly markReady: (number: number) => void;
  };
}

const RUN = "01970000-0000-7000-8000-000000000001";
const LATER_RUN = "01970000-0000-7000-8000-000000000002";

/** What the application relies on of a host of pull requests, as Vitest tests. */
export function describePullRequestHost(
  name: string,
  open: () => Promise<PullRequestHostUnderTest>,
): void {
  describe(`PullRequestHost: ${name}`, () => {
    const { signal } = new AbortController();
    let under: PullRequestHostUnderTest;
    let branches = 0;
    let head = "";

    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under[Symbol.asyncDispose]());
    beforeEach(async () => {
      branches += 1;
      head = `speckit/thing-${branches}`;
      await under.push(head);
    });

    function wanted(more: Partial<WantedPullRequest> = {}): WantedPullRequest {
      return {
        runId: RUN,
        gitRemote: under.gitRemote,
        head,
        base: "main",
        title: "Add a thing",
        body: `<!-- speckit:run ${more.runId ?? RUN} -->\nWhat was made.`,
        draft: true,
        labels: ["speckit"],
        reviewers: ["ada", "acme/core"],
        assignees: ["ada"],
        ...more,
      };
    }

    function seen(number: number): SeenPullRequest {
      const found = under.pullRequests().find((one) => one.number === number);
      expect(found).toBeDefined();
      return found as SeenPullRequest;
    }

    test("serves its own repositories and no others", () => {
      expect(under.host.serves(under.gitRemote)).toBe(true);
      expect(under.host.serves(under.foreignRemote)).toBe(false);
    });

    test("a pull request is created with all that is wanted of it", async () => {
      const steps: PullRequestStep[] = [];
      const made = await under.host.ensure(wanted(), signal, async (step) => {
        steps.push(step);
      });
      expect(made).toMatchObject({ how: "created", state: "open", draft: true, notes: [] });
      expect(made.url).toMatch(/^https?:\/\//);
      expect(steps).toEqual(["looked", "created", "decorated"]);
      expect(seen(made.number)).toMatchObject({
        title: "Add a thing",
        body: expect.stringContaining("What was made."),
        base: "main",
        labels: ["speckit"],
        reviewers: ["ada", "acme/core"],
        assignees: ["ada"],
      });
    });

    test("a second call changes nothing, and makes no second one", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      const before = under.pullRequests();
      const again = await under.host.ensure(wanted(), signal);
      expect(again).toMatchObject({ how: "updated", number, notes: [] });
      expect(under.pullRequests()).toEqual(before);
    });

    test.each(["looked", "created", "decorated"] as const)(
      "a call that ends at the step %s is made good by the next one",
      async (last) => {
        const crash = new Error("the process ended");
        const cut = under.host.ensure(wanted(), signal, async (step) => {
          if (step === last) {
            throw crash;
          }
        });
        await expect(cut).rejects.toBe(crash);
        const { number } = await under.host.ensure(wanted(), signal);
        expect(seen(number)).toMatchObject({
          labels: ["speckit"],
          reviewers: ["ada", "acme/core"],
          assignees: ["ada"],
        });
        const { base, title } = seen(number);
        expect({ base, title }).toEqual({ base: "main", title: "Add a thing" });
      },
    );

    test("a later run brings text and title of the open one up to date", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      await under.push(head);
      const later = wanted({
        runId: LATER_RUN,
        title: "Add a better thing",
        body: `<!-- speckit:run ${LATER_RUN} -->\nMade anew.`,
      });
      expect(await under.host.ensure(later, signal)).toMatchObject({ how: "updated", number });
      const { title, body } = seen(number);
      expect(title).toBe("Add a better thing");
      expect(body).toContain("Made anew.");
      expect(body).not.toContain("What was made.");
    });

    test("what people wrote around our text, and their title, stay", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      const body = `Look here first.\r\n\r\n${seen(number).body.replaceAll("\n", "\r\n")}\r\nThanks!`;
      under.people.edit(number, { body, title: "Our own title" });
      const later = wanted({ runId: LATER_RUN, title: "Another", body: "Made anew." });
      await under.host.ensure(later, signal);
      const after = seen(number);
      expect(after.title).toBe("Our own title");
      expect(after.body).toMatch(
        /^Look here first\.\n\n<!-- speckit:run .*Made anew\..*\nThanks!$/s,
      );
      expect(after.body).not.toContain("What was made.");
    });

    test("a text that people have replaced, and a base they have changed, stay and are told", async () => {
      await under.push("release");
      const { number } = await under.host.ensure(wanted(), signal);
      under.people.edit(number, { body: "All ours.", base: "release" });
      const later = await under.host.ensure(wanted({ runId: LATER_RUN }), signal);
      expect(seen(number)).toMatchObject({ body: "All ours.", base: "release" });
      expect(later.notes).toEqual([
        expect.stringContaining("text was written by people"),
        expect.stringContaining("its base was left as it is"),
      ]);
    });

    test("a draft that people marked ready stays ready", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      under.people.markReady(number);
      const again = await under.host.ensure(wanted(), signal);
      expect(again).toMatchObject({ draft: false, notes: [] });
      expect(seen(number)).toMatchObject({ draft: false, labels: ["speckit"] });
    });

    test("without drafts it is a normal one with a label, also after a crash before the label", async () => {
      under.allowDrafts(false);
      try {
        const cut = under.host.ensure(wanted(), signal, async (step) => {
          if (step === "created") {
            throw new Error("the process ended");
          }
        });
        await expect(cut).rejects.toThrow("the process ended");
        const made = await under.host.ensure(wanted(), signal);
        expect(made).toMatchObject({ draft: false, notes: [expect.stringContaining("draft")] });
        expect(seen(made.number).labels).toEqual(["speckit", "draft"]);
      } finally {
        under.allowDrafts(true);
      }
    });

    test("one that people closed stays closed, for a later run and new commits too", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      under.people.close(number);
      await under.push(head);
      for (const runId of [RUN, LATER_RUN]) {
        const left = await under.host.ensure(wanted({ runId }), signal);
        expect(left).toMatchObject({ how: "left", number, state: "closed" });
        expect(left.notes).toEqual([expect.stringContaining("closed")]);
      }
      expect(seen(number).state).toBe("closed");
    });

    test("one that is merged is left; a later run with new commits gets a new one", async () => {
      const { number } = await under.host.ensure(wanted(), signal);
      under.people.merge(number);
      const own = await under.host.ensure(wanted(), signal);
      expect(own).toMatchObject({ how: "left", number, state: "merged" });
      const nothingNew = await under.host.ensure(wanted({ runId: LATER_RUN }), signal);
      expect(nothingNew).toMatchObject({ how: "left", number, state: "merged" });
      await under.push(head);
      const fresh = await under.host.ensure(wanted({ runId: LATER_RUN }), signal);
      expect(fresh).toMatchObject({ how: "created", state: "open" });
      expect(fresh.number).not.toBe(number);
    });

    test("a missing base, and a branch without commits of its own, are refused for good", async () => {
      await expect(under.host.ensure(wanted({ base: "nowhere" }), signal)).rejects.toMatchObject({
        code: "BASE_BRANCH_NOT_FOUND",
        class: "permanent",
      });
      await expect(under.host.ensure(wanted({ base: head }), signal)).rejects.toMatchObject({
        code: "PULL_REQUEST_REFUSED",
        class: "permanent",
        message: expect.stringContaining("No commits between"),
      });
      expect(under.pullRequests().some((one) => one.base === "nowhere")).toBe(false);
    });

    test("an aborted signal ends it with its reason", async () => {
      const reason = new Error("no longer wanted");
      const aborted = under.host.ensure(wanted(), AbortSignal.abort(reason));
      await expect(aborted).rejects.toBe(reason);
    });
  });
}
