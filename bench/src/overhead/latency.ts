import type { Bench } from "../bench.ts";
import { type BenchBroker, benchBroker } from "../bench-broker.ts";
import { type BenchDatabase, benchDatabase } from "../bench-database.ts";
import { ratio, three } from "../format.ts";
import { type Summary, sampled, summaryOf, timed } from "../statistics.ts";
import { countWrites } from "./count-writes.ts";
import { openFloor } from "./floor.ts";
import { openSubject, type Place } from "./open-subject.ts";

interface Line {
  readonly where: Place;
  readonly phases: number;
  readonly keepsEvidence?: true;
}

const LINES: readonly Line[] = [
  { where: "in process", phases: 1 },
  { where: "in process", phases: 5 },
  { where: "in process", phases: 20 },
  { where: "in process", phases: 5, keepsEvidence: true },
  { where: "RabbitMQ", phases: 1 },
  { where: "RabbitMQ", phases: 5 },
  { where: "RabbitMQ", phases: 20 },
];

/** Milliseconds of one run, and what it is compared with. */
interface Measured extends Line {
  readonly run: Summary;
  readonly commits: number;
  readonly walBytes: number;
  /** As many commits as phases; over RabbitMQ as many hops with one commit each. */
  readonly floor: Summary;
  /** As many commits as the run makes, with nothing in between. */
  readonly sameCommits: Summary;
}

/** Submit to complete, one run at a time, beside the floor measured right before and after. */
export async function measureLatency(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  await using floor = await openFloor({
    databaseUrl: database.url,
    amqpUrl: services.amqpUrl,
    queue: `${broker.prefix}.floor`,
  });
  await sampled(sizes.warmUp, () => timed(() => floor.hops(5)));

  const all: Measured[] = [];
  for (const line of LINES) {
    const { where, phases } = line;
    const name = `${where}, ${phases} phases${line.keepsEvidence ? ", with evidence" : ""}`;
    bench.say(name);
    const half = { times: sizes.latency.times / 2, ms: sizes.latency.ms / 4 };
    const walk = () => (where === "RabbitMQ" ? floor.hops(phases) : floor.commits(phases));
    const before = await sampled(half, () => timed(walk));
    const { samples, commits, walBytes } = await measure(bench, line, { database, broker });
    const after = await sampled(half, () => timed(walk));
    const same = await sampled(half, () => timed(() => floor.commits(Math.round(commits))));
    bench.keep(`run, ${name}`, samples);
    bench.keep(`floor of ${name}`, [...before, ...after]);
    bench.keep(`${Math.round(commits)} commits`, same);
    all.push({
      ...line,
      commits,
      walBytes,
      run: summaryOf(samples),
      floor: summaryOf([...before, ...after]),
      sameCommits: summaryOf(same),
    });
  }
  print(bench, all);
}

async function measure(
  bench: Bench,
  line: Line,
  on: { readonly database: BenchDatabase; readonly broker: BenchBroker },
) {
  const { sizes } = bench;
  await using subject = await openSubject(bench, line.where, { ...on, ...line });
  const carry = async (): Promise<number> => {
    const startedMs = performance.now();
    const { runId } = await subject.carry();
    const ms = performance.now() - startedMs;
    // The next run does not meet the end of this one.
    await subject.untilClosed(runId);
    return ms;
  };
  await sampled(sizes.warmUp, carry);
  let samples: readonly number[] = [];
  const writes = await countWrites(bench.services.serverUrl, async () => {
    samples = await sampled(sizes.latency, carry);
  });
  return {
    samples,
    commits: writes.commits / samples.length,
    walBytes: writes.walBytes / samples.length,
  };
}

function print(bench: Bench, all: readonly Measured[]): void {
  bench.table(
    "Submit to complete, one run at a time, in milliseconds",
    ["phases", "runs", "p50", "p95", "p99", "floor p50", "p95", "p50 / floor"],
    all.map(({ run, floor, ...line }) => [
      nameOf(line),
      String(run.count),
      three(run.p50),
      three(run.p95),
      three(run.p99),
      three(floor.p50),
      three(floor.p95),
      ratio(run.p50, floor.p50),
    ]),
  );
  bench.table(
    "What one run writes, and its commits alone, in milliseconds",
    ["phases", "commits", "WAL kB", "commits alone p50", "run p50 / those"],
    all.map(({ run, commits, walBytes, sameCommits, ...line }) => [
      nameOf(line),
      three(commits),
      three(walBytes / 1_000),
      three(sameCommits.p50),
      ratio(run.p50, sameCommits.p50),
    ]),
  );
  for (const where of ["in process", "RabbitMQ"] as const) {
    const [few, many] = [5, 20].map((phases) =>
      all.find((line) => line.where === where && line.phases === phases && !line.keepsEvidence),
    );
    if (few !== undefined && many !== undefined) {
      const perPhase = (of: (line: Measured) => Summary) => (of(many).p50 - of(few).p50) / 15;
      const ours = perPhase((line) => line.run);
      const theirs = perPhase((line) => line.floor);
      bench.table(
        `One more phase, ${where}, in milliseconds`,
        ["", "p50"],
        [
          ["run", three(ours)],
          ["floor", three(theirs)],
          ["overhead", three(ours - theirs)],
        ],
      );
    }
  }
}

function nameOf({ where, phases, keepsEvidence }: Line): string {
  return `${where}, ${phases}${keepsEvidence ? ", files kept" : ""}`;
}
