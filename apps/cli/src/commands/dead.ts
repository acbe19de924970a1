import { type ExitCode, SpeckitError } from "@speckit/orchestrator";
import { readEnvironment } from "@speckit/orchestrator/node";
import { type DeadLetter, type DeadLetters, openDeadLetters } from "@speckit/orchestrator/rabbitmq";
import { visible } from "../output/visible.ts";
import { readSentence } from "../read-sentence.ts";

interface Options {
  readonly json?: boolean;
}

/** `speckit dead list`: what the fleet has refused, and why. */
export async function deadListCommand(
  options: Options & { readonly limit: number },
): Promise<ExitCode> {
  await using letters = await deadLetters();
  const found = await letters.list(options.limit);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(found.map(shown))}\n`
      : found.map(({ id, code, reason }) => `${visible(`${id}  ${code}  ${reason}`)}\n`).join(""),
  );
  return 0;
}

/** `speckit dead show`: one of them, with its body. */
export async function deadShowCommand(id: string, options: Options): Promise<ExitCode> {
  await using letters = await deadLetters();
  const letter = await letters.find(id);
  if (letter === undefined) {
    throw notFound(id);
  }
  const { code, reason, queue, body } = shown(letter);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(shown(letter))}\n`
      : `${visible(`${code}: ${reason}\nfrom ${queue}\n\n${body}`)}\n`,
  );
  return 0;
}

/** `speckit dead replay`: one of them once more, as it was or corrected. */
export async function deadReplayCommand(
  id: string,
  options: Options & { readonly file?: string },
): Promise<ExitCode> {
  const { file } = options;
  const corrected =
    file === undefined
      ? undefined
      : await (file === "-" ? readSentence("-", undefined) : readSentence(undefined, file));
  await using letters = await deadLetters();
  if (!(await letters.replay(id, corrected === undefined ? undefined : Buffer.from(corrected)))) {
    throw notFound(id);
  }
  process.stdout.write(
    options.json === true ? `${JSON.stringify({ id, replayed: true })}\n` : "replayed\n",
  );
  return 0;
}

async function deadLetters(): Promise<DeadLetters> {
  const { amqpUrl, amqpPrefix } = readEnvironment(process.env);
  if (amqpUrl === undefined) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      "AMQP_URL and DATABASE_URL: expected both, got nothing: only a fleet has a dead-letter queue",
    );
  }
  return openDeadLetters({ url: amqpUrl, prefix: amqpPrefix });
}

/** A body as text; what is no UTF-8 shows as replacement characters. */
function shown({ body, ...letter }: DeadLetter) {
  return { ...letter, body: new TextDecoder().decode(body) };
}

function notFound(id: string): SpeckitError {
  return new SpeckitError("DEAD_LETTER_NOT_FOUND", `There is no dead letter ${id.slice(0, 100)}`);
}
