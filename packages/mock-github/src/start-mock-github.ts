import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { selfSignedCertificate } from "@speckit/testkit/certificate";
import { answersOf } from "./answers.ts";
import { ensureBareRepository } from "./branches.ts";
import { type DescriptionName, loadDescription } from "./description/load-description.ts";
import type { PlannedFailure } from "./failures.ts";
import type { MockGitHub, SeenCall } from "./mock-github.ts";
import { peopleOf } from "./people.ts";
import { requestListener } from "./request-listener.ts";
import type { MockRepository, MockState } from "./state.ts";

export interface MockGitHubOptions {
  /** Bare repositories are, or are made, at `<folder>/<owner>/<name>.git`. */
  readonly folder: string;
  /** Default true; git's adapter speaks nothing else. */
  readonly tls?: boolean;
  /** Whose description calls and answers are checked against. Default `api.github.com`. */
  readonly description?: DescriptionName;
}

/**
 * GitHub on a real socket. What its description does not allow, of calls and of its own answers, is
 * answered with 500 and kept as a violation; disposing of it throws when there are any, so that no test
 * passes over them.
 */
export async function startMockGitHub(options: MockGitHubOptions): Promise<MockGitHub> {
  const { folder, tls = true } = options;
  const document = loadDescription(options.description ?? "api.github.com");
  const state: MockState = { repositories: new Map(), tokens: new Map(), apps: new Map() };
  const calls: SeenCall[] = [];
  const violations: string[] = [];
  const failures: PlannedFailure[] = [];
  const changes = new Map<string, (body: unknown) => unknown>();

  const pair = tls ? selfSignedCertificate() : undefined;
  let listener: RequestListener = (_request, response) => response.destroy();
  const server =
    pair === undefined
      ? createHttpServer((request, response) => listener(request, response))
      : createHttpsServer({ key: pair.key, cert: pair.certificate }, (request, response) =>
          listener(request, response),
        );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${pair === undefined ? "http" : "https"}://${host}`;
  const apiUrl = `${url}/api/v3`;
  const answers = answersOf(document, url, apiUrl);
  const parts = {
    state,
    document,
    answers,
    folder,
    url,
    apiUrl,
    calls,
    violations,
    failures,
    changes,
  };
  listener = requestListener(parts);

  function repository(fullName: string): MockRepository {
    const key = fullName.toLowerCase();
    const present = state.repositories.get(key);
    if (present !== undefined) {
      return present;
    }
    const [owner = "", name = ""] = fullName.split("/");
    const made = newRepository(owner, name, state.repositories.size + 1, folder);
    ensureBareRepository(made.folder);
    state.repositories.set(key, made);
    return made;
  }

  return {
    url,
    apiUrl,
    host,
    certificate: pair?.certificate,
    calls,
    violations,
    takeViolations: () => violations.splice(0),
    repository,
    giveToken: (token, grant) => void state.tokens.set(token, grant),
    registerApp(appId, installation) {
      const { publicKey, privateKey } = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs1", format: "pem" },
      });
      const installations = [{ ...installation, suspended: false }];
      state.apps.set(appId, { appId, publicKey, installations });
      return privateKey;
    },
    fail: (route, failure, times = 1) => void failures.push({ route, failure, left: times }),
    tamper: (route, change) => void changes.set(route, change),
    people: peopleOf(repository),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      if (violations.length > 0) {
        throw new Error(`GitHub's description does not allow:\n${violations.join("\n")}`);
      }
    },
  };
}

function newRepository(owner: string, name: string, id: number, folder: string): MockRepository {
  return {
    owner,
    name,
    id,
    folder: join(folder, owner, `${name}.git`),
    isPrivate: true,
    archived: false,
    gone: false,
    moved: false,
    drafts: true,
    collaborators: new Set(),
    teams: new Set(),
    labels: new Set(),
    pulls: [],
  };
}
