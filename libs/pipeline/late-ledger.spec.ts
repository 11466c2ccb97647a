import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry } from '#domain';
import { engage, epochRaised, feed, instant, PipelineWorld, rulesSet, tick, visit } from '#testing';

const MINUTE = 60_000;
const NOON = instant('2024-11-11 12:00');

const ENTRIES: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(defaultRules()),
  tick(NOON - 60 * MINUTE),
  visit(NOON - 3 * MINUTE, { id: 'in-time', person: 'a' }),
  tick(NOON),
  // Late, but no end it counts in is final yet.
  visit(NOON - 4 * MINUTE, { id: 'late', person: 'a' }),
  // The 1 minute windows up to 11:55 are final, those of 5 minutes up to 11:50, and those of an hour up to 11:00.
  visit(NOON - 9 * MINUTE, { id: 'late-for-one', person: 'a' }),
  visit(NOON - 12 * MINUTE, { id: 'too-late', person: 'b' }),
  engage(NOON - 65 * MINUTE, 'LIKE', { id: 'much-too-late', person: 'b' }),
  // Again, and late this time: it has missed nothing.
  visit(NOON - 3 * MINUTE, { id: 'in-time', person: 'a' }),
  tick(NOON + 30 * MINUTE),
  visit(NOON - 3 * MINUTE, { id: 'in-time', person: 'a' }),
  visit(NOON - 50 * MINUTE, { id: 'imported', person: 'c', origin: 'BACKFILL' }),
];

describe('the late ledger', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open();
  });
  afterEach(() => world.close());

  it('names each late event with the final ends it missed, once per window', async () => {
    await world.lay(ENTRIES);
    const worker = world.worker({}, { drainMs: 1_000 });
    await feed(world.log, worker, world.input(), () => 4);
    await worker.revoked(world.input());
    const rows = world.sink.rows('late_events').map((row) => ({
      ...{ id: row.event_id, person: row.person, window: row.window, offset: Number(row.version & 0xffffn) },
      ...{ from: (row.missed_from - NOON) / MINUTE, to: (row.missed_to - NOON) / MINUTE },
    }));
    const round = (value: number) => Math.round(value * 100) / 100;
    expect(rows.map((row) => ({ ...row, from: round(row.from), to: round(row.to) }))).toEqual([
      { id: 'late-for-one', person: 'a', window: '1m', offset: 6, from: -8.83, to: -7.83 },
      { id: 'too-late', person: 'b', window: '1m', offset: 7, from: -11.83, to: -10.83 },
      { id: 'too-late', person: 'b', window: '5m', offset: 7, from: -11.83, to: -9.83 },
      { id: 'much-too-late', person: 'b', window: '1m', offset: 8, from: -64.83, to: -63.83 },
      { id: 'much-too-late', person: 'b', window: '5m', offset: 8, from: -64.83, to: -59.83 },
      { id: 'much-too-late', person: 'b', window: '1h', offset: 8, from: -64, to: -59 },
    ]);
  });
});
