import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorAnswer, startMockModel } from "@speckit/mock-model";
import { describeAgentBackend } from "../../../../src/testing/index.ts";
import { codexAtGateway } from "./codex-at-gateway.ts";

const refusal = () =>
  errorAnswer(400, {
    message: "agent's words",
    type: "invalid_request_error",
    code: "unsupported_value",
  });

describeAgentBackend(
  "codex",
  async () => {
    await using undo = new AsyncDisposableStack();
    const model = undo.use(await startMockModel());
    const works = undo.use(await codexAtGateway({ baseUrl: model.baseUrl("speckit") }));
    const refuses = undo.use(await codexAtGateway({ baseUrl: model.baseUrl(refusal) }));
    const owned = undo.move();
    return {
      backend: works.backend,
      runtime: works.runtime,
      access: (provider) => (provider === "works" ? works : refuses).open(),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
  join(tmpdir(), "speckit-backends"),
);
