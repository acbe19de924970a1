/** Who a token is of, and what it may. */
export type MockGrant = {
  readonly login: string;
  /** `owner/name`; undefined: every repository. */
  readonly repositories?: readonly string[];
} & (
  | { readonly kind: "classic"; readonly scopes: readonly string[] }
  | {
      readonly kind: "fine-grained" | "installation";
      readonly permissions: Readonly<Record<string, "read" | "write">>;
      readonly expiresAtMs?: number;
    }
);

export interface MockPull {
  readonly number: number;
  readonly head: string;
  base: string;
  title: string;
  body: string;
  draft: boolean;
  state: "open" | "closed" | "merged";
  /** Where the branch was when it was closed or merged. */
  endedAtSha: string | undefined;
  readonly author: string;
  readonly labels: string[];
  readonly assignees: string[];
  readonly reviewers: string[];
  readonly teams: string[];
  readonly reviews: { readonly login: string }[];
  /** As in GitHub's list of events. */
  readonly events: { readonly event: string; readonly login: string }[];
}

export interface MockRepository {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
  /** The bare repository. */
  readonly folder: string;
  isPrivate: boolean;
  archived: boolean;
  /** Answers 404 to everybody. */
  gone: boolean;
  /** Answers 301 and is found under its number. */
  moved: boolean;
  /** Whether it has draft pull requests. */
  drafts: boolean;
  /** Who may review and be assigned; logins, and teams' slugs. */
  readonly collaborators: Set<string>;
  readonly teams: Set<string>;
  readonly labels: Set<string>;
  readonly pulls: MockPull[];
}

export interface MockApp {
  readonly appId: string;
  /** PEM. */
  readonly publicKey: string;
  readonly installations: {
    readonly id: number;
    /** `owner/name`. */
    readonly repositories: readonly string[];
    readonly permissions: Readonly<Record<string, "read" | "write">>;
    suspended: boolean;
  }[];
}

export interface MockState {
  readonly repositories: Map<string, MockRepository>;
  readonly tokens: Map<string, MockGrant>;
  readonly apps: Map<string, MockApp>;
}

/** As GitHub looks a repository up: without regard to case. */
export function findRepository(
  state: MockState,
  owner: string,
  name: string,
): MockRepository | undefined {
  return state.repositories.get(`${owner}/${name}`.toLowerCase());
}
