/** What a run did and saw, as text and as a committed file. */
import { cpus, totalmem } from 'node:os';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosOptions } from './chaos-options.js';
import { isAlone, worstStall, type FaultRecord } from './chaos-run.js';
import type { ChaosWorld } from './chaos-world.js';
import { FAULT_KINDS } from './fault-kinds.js';
import type { Verdict } from './verdict.js';

export interface ChaosRun {
  readonly options: ChaosOptions;
  readonly startedAt: number;
  readonly faults: readonly FaultRecord[];
  readonly verdict: Verdict;
}

export function chaosReport(world: ChaosWorld, { options, startedAt, faults, verdict }: ChaosRun): string {
  const minutes = ((Date.now() - startedAt) / 60_000).toFixed(1);
  const brokers = options.brokers === 1 ? 'one broker' : `${options.brokers} brokers`;
  const memory = Math.round(totalmem() / 2 ** 30);
  const all = options.kinds.length === FAULT_KINDS.length - (options.brokers > 1 ? 0 : 1);
  const kinds = all ? '' : `CHAOS_KINDS='${options.kinds.join(';')}' `;
  const ownEnds = world.apps.filter((app) => app.ownEnds > 0).map((app) => `${app.label} ${app.ownEnds}`);
  return [
    `# ${faults.length} faults, ${brokers}, seed ${options.seed}`,
    '',
    `${new Date(startedAt).toISOString()}, ${minutes} min, ${cpus().length} cores, ${memory} GiB, Node ${process.version}. ` +
      `Repeat: \`CHAOS_SEED=${options.seed} CHAOS_FAULTS=${options.faults} CHAOS_BROKERS=${options.brokers} ` +
      `CHAOS_EVENTS_PER_SECOND=${options.eventsPerSecond} CHAOS_PERSONS=${options.persons} CHAOS_PAUSE_MS=${options.pauseMs} ${kinds}npm run test:chaos\` (the same faults in the same order; ` +
      'the processes keep their own time).',
    '',
    '| Fault | times | worst stall, alone, s | worst stall, among others, s |',
    '| --- | ---: | ---: | ---: |',
    ...kindsOf(faults).map((kind) => row(world, kind, faults)),
    '',
    'A stall is from the first attempt to produce a touchpoint to the tier change at a read-committed subscriber, of ' +
      'those under way while the fault lasted. Alone: nothing else was broken at that time.',
    '',
    '| Counted at the end | |',
    '| --- | ---: |',
    ...counts(world, verdict).map(([what, count]) => `| ${what} | ${count} |`),
    '',
    'All equal to what they have to equal: accepted ids and dead letters to the source topics; tier changes (also as ' +
      'Apache Kafka’s own console consumer reads them, read-committed) and figure rows to one fold of the same log; ' +
      'raw facts to the log, each event once.' +
      (ownEnds.length === 0 ? '' : ` Ended by themselves and started again: ${ownEnds.join(', ')}.`),
    '',
  ].join('\n');
}

export function writeReport(directory: string, { options }: ChaosRun, text: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `brokers-${options.brokers}-seed-${options.seed}.md`), text);
}

function kindsOf(faults: readonly FaultRecord[]): readonly FaultRecord['kind'][] {
  return [...new Set(faults.map(({ kind }) => kind))].sort();
}

function row(world: ChaosWorld, kind: FaultRecord['kind'], faults: readonly FaultRecord[]): string {
  const struck = faults.filter((fault) => fault.kind === kind && fault.isStruck);
  const stalls = (alone: boolean): readonly number[] =>
    struck.filter((fault) => isAlone(fault, faults) === alone).map((fault) => worstStall(world, fault));
  return `| ${kind} | ${struck.length} | ${seconds(stalls(true))} | ${seconds(stalls(false))} |`;
}

function seconds(spans: readonly number[]): string {
  return spans.length === 0 ? '' : (Math.max(...spans) / 1_000).toFixed(1);
}

function counts({ traffic }: ChaosWorld, verdict: Verdict): readonly (readonly [string, number])[] {
  return [
    ['records in the source topics', verdict.sourceRecords],
    ['of them accepted', verdict.accepted],
    ['of them dead letters', verdict.rejected],
    ['sends that failed and were repeated', traffic.failedSends],
    ['records in the relationship log', verdict.logRecords],
    ['of them ticks', verdict.ticks],
    ['tier changes', verdict.tierChanges],
    ['raw facts', verdict.rawFacts],
    ['figure rows', verdict.figureRows],
  ];
}
