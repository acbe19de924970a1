import type { MockFailure } from "./failures.ts";
import type { MockGrant, MockPull, MockRepository } from "./state.ts";

/** A call as it came and as it was answered. */
export interface SeenCall {
  /** `POST /repos/{owner}/{repo}/pulls`; method and path where GitHub has no such operation. */
  readonly route: string;
  /** 0: the connection was cut. */
  readonly status: number;
  readonly body: unknown;
  readonly token: string | undefined;
}

export interface MockGitHub extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`: git's, and people's. */
  readonly url: string;
  /** `<url>/api/v3`, as Enterprise Server has it. */
  readonly apiUrl: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** PEM of the certificate authority, undefined without TLS. */
  readonly certificate: string | undefined;
  readonly calls: readonly SeenCall[];
  /** What GitHub's description does not allow, calls and answers, in words; none is as it should be. */
  readonly violations: readonly string[];
  /** Gives the violations there are and forgets them: for who has planted them. */
  readonly takeViolations: () => readonly string[];
  /** A repository of `owner/name`; made with one commit on `main` unless its bare repository is in the folder. */
  readonly repository: (fullName: string) => MockRepository;
  readonly giveToken: (token: string, grant: MockGrant) => void;
  /** Registers an App. @returns its private key, PKCS#1 as GitHub gives it */
  readonly registerApp: (
    appId: string,
    installation: {
      readonly id: number;
      readonly repositories: readonly string[];
      readonly permissions: Readonly<Record<string, "read" | "write">>;
    },
  ) => string;
  /** Lets the next calls of a route, or of any, go wrong. `times` default 1. */
  readonly fail: (route: string | undefined, failure: MockFailure, times?: number) => void;
  /** Changes what is answered to a route, before it is checked. */
  readonly tamper: (route: string, change: (body: unknown) => unknown) => void;
  /** What people do at the web page. */
  readonly people: {
    readonly commit: (fullName: string, branch: string) => string;
    readonly deleteBranch: (fullName: string, branch: string) => void;
    readonly close: (fullName: string, number: number) => void;
    readonly merge: (fullName: string, number: number) => void;
    readonly markReady: (fullName: string, number: number) => void;
    readonly edit: (
      fullName: string,
      number: number,
      to: Partial<Pick<MockPull, "title" | "body" | "base">>,
    ) => void;
    readonly review: (fullName: string, number: number, login: string) => void;
  };
}
