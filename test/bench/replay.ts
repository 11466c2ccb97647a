/** A year of purchases through `gravity replay`, embedded, as a user runs it; checked against the generator. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
// The lib's index is for jest alone.
import { TempDir } from '../../libs/testing/temp-dir.js';
import { type BenchOptions, eventsOf, personsOf } from './bench-options.js';
import type { BenchResult } from './bench-report.js';
import { MachineWatch } from './machine.js';
import { builtFile, repositoryRoot } from '../../libs/testing/places.js';
import { type PurchaseTruth, writePurchaseYear } from './purchase-year.js';
// As a type alone: the module acts on being loaded.
import type { ProcessUsage } from './usage-probe.js';

const PURCHASES = 1_000_000;
const TARGET_SECONDS = 60;

/** What is read of the summary that `--summary json` prints. */
interface Summary {
  readonly rows_read: number;
  readonly accepted: number;
  readonly rejected_total: number;
  readonly buyers: number;
  readonly persons: number;
  readonly last_event: string;
  readonly brand: {
    readonly stocks: readonly { readonly scheme_id: string; readonly tiers: readonly number[] }[];
    readonly orders: number;
    readonly gmv_gross_minor: number;
    readonly refunds_minor: number;
  };
}

export async function replayYear(options: BenchOptions): Promise<BenchResult> {
  const directory = new TempDir('bench-replay');
  try {
    const csv = directory.join('year.csv');
    const purchases = eventsOf(options, PURCHASES);
    const persons = personsOf(options);
    const truth = writePurchaseYear(csv, { purchases, persons, seed: options.seed });
    const watch = new MachineWatch();
    const startedAt = performance.now();
    const { summary, usage } = await replay(csv, directory);
    const wallSeconds = (performance.now() - startedAt) / 1_000;
    assertTrue(summary, truth);
    return {
      part: 'replay',
      settings: {
        purchases,
        persons: truth.buyers,
        seed: options.seed,
        'CSV MiB': Math.round(statSync(csv).size / 2 ** 20),
      },
      measures: [
        {
          what: 'wall, whole command',
          unit: 's',
          value: wallSeconds,
          floor: null,
          ...(purchases === PURCHASES ? { target: { atMost: TARGET_SECONDS } } : {}),
        },
        { what: 'CPU', unit: 's', value: usage.cpuSeconds, floor: null },
        { what: 'purchases', unit: 'per CPU-s', value: purchases / usage.cpuSeconds, floor: null },
        { what: 'peak memory', unit: 'MiB', value: usage.peakMiB, floor: null },
      ],
      checks: [`${truth.buyers} buyers, ${purchases} orders, GMV ${truth.gmvMinor}, tiers of both schemes`],
      surroundings: watch.end(usage.cpuSeconds),
    };
  } finally {
    directory.remove();
  }
}

/** @throws when the command fails */
async function replay(
  csv: string,
  directory: TempDir,
): Promise<{ readonly summary: Summary; readonly usage: ProcessUsage }> {
  const usageFile = directory.join('usage.json');
  const gravity = spawn(
    // By its first line, which says how Node is to be started.
    `${repositoryRoot()}/apps/cli/bin/gravity.js`,
    ['replay', csv, '--summary', 'json', '--data-dir', directory.join('data'), '--brand', 'bench'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: `--import=${builtFile('test/bench/usage-probe.ts')}`,
        BENCH_USAGE_FILE: usageFile,
      },
    },
  );
  const output: Buffer[] = [];
  gravity.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = (await once(gravity, 'close')) as [number | null];
  const text = Buffer.concat(output).toString('utf8');
  if (code !== 0) throw new Error(`gravity replay ended with ${String(code)}:\n${text}`);
  return {
    summary: JSON.parse(text) as Summary,
    usage: JSON.parse(readFileSync(usageFile, 'utf8')) as ProcessUsage,
  };
}

function assertTrue(summary: Summary, truth: PurchaseTruth): void {
  const { brand } = summary;
  const actual = {
    rows: summary.rows_read,
    accepted: summary.accepted,
    rejected: summary.rejected_total,
    buyers: summary.buyers,
    persons: summary.persons,
    orders: brand.orders,
    gmv: brand.gmv_gross_minor,
    refunds: brand.refunds_minor,
    last: summary.last_event,
    tiers: Object.fromEntries(brand.stocks.map(({ scheme_id, tiers }) => [scheme_id, tiers])),
  };
  const expected = {
    rows: truth.purchases,
    accepted: truth.purchases,
    rejected: 0,
    buyers: truth.buyers,
    persons: truth.buyers,
    orders: truth.purchases,
    gmv: truth.gmvMinor,
    refunds: 0,
    last: truth.lastEvent,
    tiers: truth.tiers,
  };
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(
      `the replay is wrong:\n${JSON.stringify(actual)}\nbut the generator says\n${JSON.stringify(expected)}`,
    );
  }
}
