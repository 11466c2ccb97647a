/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { messageOf } from '#pipeline';

export const PARTS = [
  ...(['hot-path', 'engine', 'persons', 'replay', 'embedded', 'recovery'] as const),
  ...(['midnight', 'scaling', 'latency', 'kafka'] as const),
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly record: boolean;
  /** A twentieth of the work: whether it runs, not how fast. */
  readonly quick: boolean;
  readonly events: number | null;
  readonly persons: number | null;
  readonly seed: number;
}

export const HELP = `npm run bench -- [part…] [options]

Parts (default: all)
  hot-path   decode → fold → aggregate in one process, without I/O, beside the floor
  engine     the rolling windows alone: presence in, spans into the figures, rows out
  persons    millions of persons over the store with a tenth of them in memory, beside a few
  replay     a year of purchases from CSV through \`gravity replay\`, embedded
  embedded   source topics → intake → relationship → archive → chDB in one process
  recovery   a partition with a million persons: from assignment to processing, on its disk and from a snapshot
  midnight   a partition of which a million persons fall at one midnight: for how long it stands still
  latency    the same path as services on a real broker under 5,000 events/s: from a producer to the tier change
  scaling    1, 2, 3, 2 and 1 instances of relationship under load: what moves, for how long it stands still, and
             whether every tier change is there once
  kafka      the same path as services on a real broker, beside the floor (needs Java 17 and Maven, or
             KAFKA_BROKERS and SCHEMA_REGISTRY_URL)

Options
  --record         append the results to test/bench/results/
  --quick          a twentieth of the work
  --events N       events (hot-path, engine, kafka, persons, replay: 1,000,000; latency: 600,000; embedded: 300,000)
  --persons N      persons (100,000; engine: 200,000; persons: 5,000,000; recovery, midnight: 1,000,000)
  --seed N         of all that is random (611)
`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function benchOptions(argv: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help === true) return 'help';
  return {
    parts: positionals.length === 0 ? PARTS : positionals.map(partOf),
    record: values.record === true,
    quick: values.quick === true,
    events: values.events === undefined ? null : wholeNumber('events', values.events),
    persons: values.persons === undefined ? null : wholeNumber('persons', values.persons),
    seed: wholeNumber('seed', values.seed ?? '611'),
  };
}

/** How many events a part shall work on. */
export function eventsOf(options: BenchOptions, usual: number): number {
  const events = options.events ?? usual;
  return options.quick ? Math.ceil(events / 20) : events;
}

export function personsOf(options: BenchOptions, usual = 100_000): number {
  const persons = options.persons ?? usual;
  return options.quick ? Math.ceil(persons / 20) : persons;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        record: { type: 'boolean' },
        quick: { type: 'boolean' },
        events: { type: 'string' },
        persons: { type: 'string' },
        seed: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function partOf(name: string): Part {
  const part = PARTS.find((one) => one === name);
  if (part === undefined) throw new UsageError(`no part ${name}; there are ${PARTS.join(', ')}`);
  return part;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} needs a whole number above 0`);
  return value;
}
