/** An import beside live traffic: what it brings counts as if it had been there, and nobody takes it for news. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LOG_RULES, personLog, type PersonLog } from '../testing/arbitrary-log.js';
import { FoldHarness } from '../testing/fold-harness.js';
import { localDate } from '../testing/naive-person.js';
import { tick } from '../testing/touchpoint-kit.js';
import { dueEdges } from './due-edges.js';
import type { LogEntry, Touchpoint } from './events.js';
import type { TierChanged } from './facts.js';
import { personSummaries } from './person-summary.js';
import type { Rules } from './rules.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);
const runs = (numRuns: number) => ({
  numRuns: Math.ceil(numRuns * RUNS),
  endOnFailure: seed === undefined,
  ...(seed === undefined ? {} : { seed }),
});

/** Nothing is settled while the log lasts: behind the horizon neither repetition nor refund finds its order. */
const UNSETTLED: Rules = { ...LOG_RULES, refundHorizonDays: 400 };

interface ImportedLog {
  /** As it would have come if nothing had been imported. */
  readonly live: readonly LogEntry[];
  /** The same with some of it as an import, each event at some instant behind its own. */
  readonly imported: readonly LogEntry[];
  /** Instant of the last record that was imported, ms; one before all of them without any. */
  readonly lastImportAt: number;
}

const importedLog = (rules: Rules): fc.Arbitrary<ImportedLog> =>
  fc
    .tuple(
      personLog(0),
      fc.array(fc.record({ isImported: fc.boolean(), wait: fc.double({ min: 0, max: 1, noNaN: true }) }), {
        minLength: 7,
        maxLength: 40,
      }),
    )
    .map(([log, picks]) => importOf(log, picks, rules));

function importOf(
  { arriving, end }: PersonLog,
  picks: readonly { readonly isImported: boolean; readonly wait: number }[],
  rules: Rules,
): ImportedLog {
  const start = Math.min(...arriving.map(({ event }) => event.at)) - DAY;
  const until = end + DAY;
  const instants = new Set<number>(dueEdges(rules, start, until));
  for (let t = start; t < until; t += 6 * HOUR) instants.add(t);
  instants.add(until);
  const ticks = [...instants].map((at) => ({ when: at, entry: tick(at) }));
  let lastImportAt = start;
  const live = arriving.map(({ event }) => ({ when: event.at, entry: event }));
  const imported = arriving.map(({ event }, nth) => {
    const pick = picks[nth % picks.length];
    if (pick?.isImported !== true) return { when: event.at, entry: event };
    const when = event.at + Math.floor(pick.wait * (end - event.at));
    lastImportAt = Math.max(lastImportAt, when);
    return { when, entry: { ...event, origin: 'BACKFILL' } as const };
  });
  const inOrder = (events: readonly { readonly when: number; readonly entry: LogEntry }[]) =>
    [...events, ...ticks].sort((a, b) => a.when - b.when).map(({ entry }) => entry);
  return { live: inOrder(live), imported: inOrder(imported), lastImportAt };
}

/**
 * Whole orders, each live or imported in one piece: what was said about it lies beside each other, person by person,
 * as `gravity import` sends it. No event comes twice.
 */
function importInOnePiece({ arriving, end }: PersonLog, rules: Rules): ImportedLog {
  const ids = new Set<string>();
  const log = arriving.filter(({ event }) => ids.size < ids.add(event.eventId).size);
  const subjectOf = (event: Touchpoint) =>
    'orderId' in event && event.orderId !== null ? event.orderId : event.eventId;
  const isImported = (event: Touchpoint) =>
    [...subjectOf(event)].reduce((sum, char) => sum * 31 + (char.codePointAt(0) ?? 0), 7) % 3 > 0;
  const { live } = importOf({ arriving: log, end }, [], rules);
  const kept = live.filter((entry) => !('eventId' in entry && 'at' in entry && isImported(entry)));
  const import_ = log
    .map(({ event }): Touchpoint => ({ ...event, origin: 'BACKFILL' }))
    .filter(isImported)
    .sort((a, b) => (a.person < b.person ? -1 : a.person > b.person ? 1 : a.at - b.at));
  return { live, imported: [...kept.slice(0, -1), ...import_, ...kept.slice(-1)], lastImportAt: end };
}

/** A tier change with how far time had got before the record that it came of. */
interface Told {
  readonly fact: TierChanged;
  readonly record: LogEntry;
  readonly before: number;
}

function folded(
  entries: readonly LogEntry[],
  rules: Rules,
): { harness: FoldHarness; told: readonly Told[]; late: number } {
  const harness = new FoldHarness(rules);
  const told: Told[] = [];
  let late = 0;
  for (const record of entries) {
    const before = harness.frame.watermark;
    const { facts, changes } = harness.fold([record]);
    told.push(...facts.map((fact) => ({ fact, record, before })));
    if (isImport(record)) late += changes.late.length;
  }
  return { harness, told, late };
}

function isImport(record: LogEntry): record is Touchpoint {
  return 'origin' in record && record.origin === 'BACKFILL';
}

/** Everybody under every scheme: tier, purchase days, orders, value, membership. */
function persons({ states, frame }: FoldHarness, rules: Rules) {
  return [...states.values()]
    .flatMap((state) => personSummaries(state, rules, frame.watermark))
    .map((row) => JSON.stringify(row))
    .sort();
}

/** Persons by tier as the stocks have them at the close of each local day from the instant on. */
function stocksSince({ figures }: FoldHarness, rules: Rules, from: number) {
  const days = new Map(rules.schemes.map(({ id, zone }) => [id, localDate(from, zone)]));
  return figures
    .periodRows()
    .filter(({ channel, scheme_id, day }) => channel === 'all' && day >= (days.get(scheme_id) ?? ''))
    .map(({ scheme_id, day, tiers }) => ({ scheme_id, day, tiers }));
}

/** What has its own day whenever it comes; rows of zeros say nothing. */
function daysOf({ figures }: FoldHarness) {
  return figures
    .periodRows()
    .map(
      ({
        scheme_id,
        channel,
        day,
        capital,
        new_relations,
        lost_relations,
        orders,
        gmv_gross_minor,
        refunds_minor,
      }) => {
        return {
          scheme_id,
          channel,
          day,
          capital,
          new_relations,
          lost_relations,
          orders,
          gmv_gross_minor,
          refunds_minor,
        };
      },
    )
    .filter((row) => Object.values(row).some((value) => typeof value === 'number' && value !== 0))
    .map((row) => JSON.stringify(row))
    .sort();
}

describe('an import beside live traffic', () => {
  it('leaves every person, the stocks within the lateness, and the money of every day as if it had been there', () => {
    fc.assert(
      fc.property(importedLog(UNSETTLED), ({ live, imported, lastImportAt }) => {
        const one = folded(live, UNSETTLED).harness;
        const other = folded(imported, UNSETTLED).harness;
        expect(persons(other, UNSETTLED)).toEqual(persons(one, UNSETTLED));
        const from = lastImportAt - UNSETTLED.stateLatenessMs;
        expect(stocksSince(other, UNSETTLED, from)).toEqual(stocksSince(one, UNSETTLED, from));
        expect(daysOf(other)).toEqual(daysOf(one));
      }),
      runs(60),
    );
  });

  it('finds lines and refunds of orders that lie behind the refund horizon', () => {
    fc.assert(
      fc.property(personLog(0), (log) => {
        const { live, imported } = importInOnePiece(log, LOG_RULES);
        const one = folded(live, LOG_RULES).harness;
        const other = folded(imported, LOG_RULES).harness;
        expect(persons(other, LOG_RULES)).toEqual(persons(one, LOG_RULES));
        expect(daysOf(other)).toEqual(daysOf(one));
      }),
      runs(60),
    );
  });

  it('is never late, and tells of no more than what is true now', () => {
    fc.assert(
      fc.property(importedLog(LOG_RULES), ({ imported }) => {
        const { harness, told, late } = folded(imported, LOG_RULES);
        expect(late).toBe(0);
        const tiers = new Map<string, number>();
        const seen = new Set<string>();
        for (const { fact, record, before } of told) {
          const key = `${fact.person} ${fact.schemeId}`;
          expect(fact.from).toBe(tiers.get(key) ?? 0);
          tiers.set(key, fact.to);
          // One record, one scheme, one change: not a history of rises and falls.
          expect(seen).not.toContain(`${fact.version} ${key}`);
          seen.add(`${fact.version} ${key}`);
          if (fact.cause === 'TIME') expect(fact.effectiveAt).toBeGreaterThan(before);
          else if (isImport(record)) expect(fact.cause).toBe('RESTATE');
        }
        for (const state of harness.states.values()) {
          for (const { person, scheme_id, tier } of personSummaries(
            state,
            LOG_RULES,
            harness.frame.watermark,
          )) {
            expect(tiers.get(`${person} ${scheme_id}`) ?? 0).toBe(tier);
          }
        }
      }),
      runs(60),
    );
  });
});
