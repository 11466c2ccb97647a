/** One line of JSON for programs, a table for people, and a file for the record. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { machineFacts, type Surroundings } from './machine.js';
import { repositoryRoot } from '../../libs/testing/places.js';

export interface Measure {
  readonly what: string;
  /** `events/CPU-s`, `s`, `MiB`, … */
  readonly unit: string;
  readonly value: number;
  /** The same of the floor in the same run; null where there is none to compare with. */
  readonly floor: number | null;
  /** What we mean to reach, and whether less is better. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number };
}

export interface BenchResult {
  readonly part: string;
  /** Events, persons, seed and what else decides the work. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly measures: readonly Measure[];
  /** What was compared with the truth of the run; a part that finds a difference throws instead. */
  readonly checks: readonly string[];
  readonly surroundings: Surroundings;
}

/** Prints the result and, when `record` is set, appends it to `results/<part>.jsonl`. */
export function report(result: BenchResult, record: boolean): void {
  const entry = { at: new Date().toISOString(), ...result, machine: machineFacts() };
  const line = JSON.stringify(entry);
  console.log(`\n${table(result)}\n${line}`);
  if (!record) return;
  const directory = join(repositoryRoot(), 'test', 'bench', 'results');
  mkdirSync(directory, { recursive: true });
  appendFileSync(join(directory, `${result.part}.jsonl`), `${line}\n`);
}

function table({ part, settings, measures, checks, surroundings }: BenchResult): string {
  const rows = [
    [part, '', 'to floor', 'target'],
    ...measures.map(({ what, unit, value, floor, target }) => [
      what,
      `${number(value)} ${unit}`,
      floor === null ? '' : `${(value / floor).toFixed(2)}×`,
      target === undefined ? '' : verdict(value, target),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const { load, otherCores, quiet } = surroundings;
  return [
    ...lines,
    `  ${Object.entries(settings)
      .map(([name, value]) => `${name} ${typeof value === 'number' ? number(value) : value}`)
      .join(' · ')}`,
    ...checks.map((check) => `  checked: ${check}`),
    `  load ${load[0]} → ${load[1]}; others used ${otherCores} cores` +
      (quiet ? '' : ' — BUSY MACHINE: trust the ratios, not the seconds'),
  ].join('\n');
}

function verdict(value: number, target: NonNullable<Measure['target']>): string {
  const isLeast = 'atLeast' in target;
  const bound = isLeast ? target.atLeast : target.atMost;
  const met = isLeast ? value >= bound : value <= bound;
  return `${isLeast ? '≥' : '≤'} ${number(bound)} ${met ? 'met' : 'MISSED'}`;
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
