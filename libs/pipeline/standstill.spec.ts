/** What comes after time has stood still for days: very many ends close, and their rows leave a part at a time. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import { epochRaised, eventually, feedFrom, instant, join, PipelineWorld, rulesSet, tick } from '#testing';
import type { FigureRow } from './rows.js';

const RULES = defaultRules();
const BEGIN = '2024-11-10 12:00';
const DAYS = 4;
/** Of one aggregate: ends of 1m and 5m every ten seconds, of 1h every minute, of 24h every five. */
const ROWS_A_DAY = 2 * 8_640 + 1_440 + 288;
const AGGREGATES = 2;

describe('after a standstill', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open();
    world.clock = instant(BEGIN);
  });
  afterEach(() => world.close());

  it('rows leave a part at a time, and all of them come', async () => {
    await world.lay([epochRaised(), rulesSet(RULES), tick(BEGIN), join('2024-11-10 12:00:01')]);
    const end = instant(BEGIN) + DAYS * 86_400_000;
    const outboxRowsMax = 5_000;
    let most = 0;
    const sink = {
      write: (rows: readonly FigureRow[]) => {
        most = Math.max(most, worker.states()[0]?.outbox.size ?? 0);
        return world.sink.write(rows);
      },
    };
    const worker = world.worker({ sink, progress: { readTo: () => end } }, { outboxRowsMax });
    let position = (await worker.assigned(world.input(), { lost: () => undefined })) ?? 0;
    // Its own ticks, as many as one append takes, and all it has appended in one batch.
    while (worker.states()[0]?.frame.watermark !== end) {
      position = await feedFrom(world.log, worker, world.input(), position);
      await worker.maintainAll();
    }
    await worker.flushAll();
    await eventually(() => expect(worker.states()[0]?.outbox.size).toBe(0));
    await worker.revoked(world.input());

    const fine = world.sink.rows('window_figures').filter((row) => row.window !== '30d');
    expect(fine.length).toBeGreaterThan(DAYS * ROWS_A_DAY * AGGREGATES - 100);
    expect(new Set(fine.map(({ capital }) => capital))).toEqual(new Set([1]));
    expect(most).toBeGreaterThan(10_000);
    // One part of a fold, and what one tick closes more.
    expect(most).toBeLessThan(outboxRowsMax + 50_000 + (ROWS_A_DAY / 24) * AGGREGATES * 2);
  });
});
