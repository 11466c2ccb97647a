/** What a promotion was, and what `gravity reconcile` says of it, as text and as a committed file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { FeedCounts } from './promotion-feed.js';
import { WHOLE_WINDOW, type PromotionOptions } from './promotion-options.js';

/** Of `gravity reconcile --format json`. */
export interface Reconciled {
  readonly compared: readonly {
    readonly brand: string;
    readonly what: string;
    readonly compared: number;
    readonly set_aside: number;
    readonly differ: number;
  }[];
  readonly drifts: readonly unknown[];
}

export interface PromotionRun {
  readonly options: PromotionOptions;
  readonly startedAt: number;
  readonly historyEvents: number;
  readonly counts: FeedCounts;
  /** s: of the history, until all was sent, until all was folded and stored after that, of the reconciliation. */
  readonly seconds: Readonly<Record<'history' | 'sending' | 'settling' | 'reconciling', number>>;
  readonly inTables: readonly (readonly [what: string, count: number])[];
  readonly reconciled: Reconciled;
}

export function promotionReport({ options, ...run }: PromotionRun): string {
  const { counts, seconds, reconciled } = run;
  const memory = Math.round(totalmem() / 2 ** 30);
  const command =
    `npm run test:promotion -- --events ${options.events} --seed ${options.seed} --rate ${options.eventsPerSecond} ` +
    `--persons ${options.persons} --history-days ${options.historyDays} ` +
    `--history-events-per-day ${options.historyEventsPerDay} --fine-hours ${options.fineHours} --ends ${options.ends}`;
  return [
    `# ${number(options.events)} touchpoints, seed ${options.seed}: ${number(reconciled.drifts.length)} differences`,
    '',
    `${new Date(run.startedAt).toISOString()}, ${cpus().length} cores, ${memory} GiB, Node ${process.version}. Real ` +
      'Kafka with 4 partitions of the relationship log, a real schema registry, intake, relationship and archive as ' +
      'processes of their own, exactly-once; then `gravity reconcile` against the raw facts by SQL. ' +
      `Repeat: \`${command}\` (the same persons and touchpoints; what is late for what depends on the pace).`,
    '',
    '| Counted | |',
    '| --- | ---: |',
    `| touchpoints of the promotion | ${number(counts.events)} |`,
    `| of them late | ${number(counts.late)} |`,
    `| sent twice besides | ${number(counts.repeated)} |`,
    `| touchpoints of the weeks before | ${number(run.historyEvents)} |`,
    ...run.inTables.map(([what, count]) => `| ${what} | ${number(count)} |`),
    `| seconds: history, sending, settling after that, reconciling | ${Object.values(seconds)
      .map((one) => number(Math.round(one)))
      .join(', ')} |`,
    '',
    '| Brand | What | Compared | Set aside | Differ |',
    '| --- | --- | ---: | ---: | ---: |',
    ...reconciled.compared.map(
      ({ brand, what, ...one }) =>
        `| ${brand} | ${what} | ${number(one.compared)} | ${number(one.set_aside)} | ${number(one.differ)} |`,
    ),
    '',
    `Compared of a window: closed ends, in every channel and in \`all\`; of ${WHOLE_WINDOW} every end, of the others ` +
      `up to ${number(options.ends)} ends (all where there are fewer). Of periods: ` +
      `${options.days === null ? 'every closed day' : `${options.days} closed days`} of every scheme, ` +
      'in every channel and in `all`. Set aside: equal to the raw facts without what came too late for the figure.',
    '',
    ...reconciled.drifts.slice(0, 50).map((drift) => `- ${JSON.stringify(drift)}`),
  ].join('\n');
}

export function writeReport(directory: string, { options }: PromotionRun, text: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `events-${options.events}-seed-${options.seed}.md`), `${text.trimEnd()}\n`);
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
