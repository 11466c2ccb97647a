import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FigureRow, HeartbeatRow, WindowFigureRow } from '#pipeline';
import { type EmbeddedClickHouse, openEmbeddedClickHouse } from '#testing';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { brands, channels } from './period-figures.js';
import { latestWindowFigures, windowFiguresAt, windowSeries } from './window-figures.js';

const STEP = 10_000;
const T0 = Date.UTC(2026, 10, 11);
const end = (n: number) => T0 + n * STEP;

let engine: EmbeddedClickHouse;
let version = 0n;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['window_figures', 'window_heartbeats'])
    await engine.clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
});

function row(
  partition: number,
  n: number,
  visitors: number,
  more: Partial<WindowFigureRow> = {},
): WindowFigureRow {
  return {
    ...{
      table: 'window_figures',
      brand: 'b1',
      channel: 'all',
      window: '5m',
      end: end(n),
      partition,
      generation: 1,
    },
    ...{ version: ++version, status: 'closed', watermark: end(n) + partition, visitors, active: 1 },
    ...{
      active_related: 1,
      visitors_related: 1,
      capital: 10,
      orders: 2,
      buyers: 1,
      capital_reachable: 4,
      gmv_gross_minor: 300,
      refunds_minor: 20,
    },
    ...more,
  };
}

function beat(partition: number, n: number, generation = 1): HeartbeatRow {
  return { table: 'window_heartbeats', window: '5m', end: end(n), partition, generation, version: ++version };
}

const write = (...rows: FigureRow[]) => new ClickHouseFigureSink(engine.clickhouse).write(rows);
const latest = (channel?: string) =>
  latestWindowFigures(engine.clickhouse, {
    brand: 'b1',
    window: '5m',
    ...(channel === undefined ? {} : { channel }),
  });

describe('latestWindowFigures', () => {
  it('knows nothing before the first heartbeat', async () => {
    await write(row(0, 1, 5));
    expect(await latest()).toBeNull();
  });

  it('adds partitions up at the newest end that all have closed, absent rows as zeros', async () => {
    await write(row(0, 1, 5), row(1, 1, 7), row(0, 2, 6), row(0, 3, 99), beat(0, 3), beat(1, 2));
    expect(await latest()).toEqual({
      ...{ end: end(2), status: 'closed', watermark: end(2), generation: 1 },
      ...{ partitionsReporting: 2, partitionsWithRows: 1, restatedAsOf: new Map() },
      ...{
        visitors: 6,
        active: 1,
        active_related: 1,
        visitors_related: 1,
        capital: 10,
        capital_reachable: 4,
        orders: 2,
        buyers: 1,
      },
      ...{ gmv_gross_minor: 300, refunds_minor: 20 },
    });
  });

  it('prefers an end that is provisional everywhere, whichever channel says so', async () => {
    await write(row(0, 1, 5), row(1, 1, 7), beat(0, 1), beat(1, 1));
    await write(row(0, 2, 6, { status: 'provisional' }));
    expect(await latest()).toMatchObject({ end: end(1), visitors: 12 });
    await write(row(1, 2, 8, { status: 'provisional', channel: 'live' }));
    expect(await latest()).toMatchObject({
      end: end(2),
      visitors: 6,
      status: 'provisional',
      watermark: end(1),
    });
    await write(row(1, 2, 8, { status: 'provisional', watermark: end(2) - 400 }));
    expect(await latest()).toMatchObject({ end: end(2), visitors: 14, watermark: end(2) - 400 });
    await write(row(0, 2, 7), beat(0, 2));
    expect(await latest()).toMatchObject({ end: end(2), visitors: 15, status: 'provisional' });
    await write(row(1, 2, 9), beat(1, 2));
    expect(await latest()).toMatchObject({ end: end(2), visitors: 16, status: 'closed' });
  });

  it('takes the newest generation and the worst status', async () => {
    await write(row(0, 9, 50), beat(0, 9), beat(0, 1, 2), beat(1, 1, 2));
    await write(row(0, 1, 1, { generation: 2, status: 'restated' }), row(1, 1, 2, { generation: 2 }));
    expect(await latest()).toMatchObject({ generation: 2, end: end(1), visitors: 3, status: 'restated' });
  });

  it('keeps channels and brands apart, and bears names that are hostile', async () => {
    const odd = "li've\\";
    await write(
      row(0, 1, 5),
      row(0, 1, 2, { channel: odd }),
      row(0, 1, 3, { brand: 'b2', channel: 'group' }),
    );
    await write(beat(0, 1));
    expect(await latest(odd)).toMatchObject({ visitors: 2 });
    expect(await latest("x' OR 1=1 --")).toMatchObject({ visitors: 0, partitionsWithRows: 0 });
    expect(await brands(engine.clickhouse)).toEqual(['b1', 'b2']);
    expect(await channels(engine.clickhouse, 'b1')).toEqual([odd]);
    expect(await channels(engine.clickhouse, 'b2')).toEqual(['group']);
  });
});

describe('windowFiguresAt', () => {
  it('answers closed ends that have rows', async () => {
    await write(row(0, 1, 5), row(1, 1, 7), row(0, 4, 9), beat(0, 4), beat(1, 3));
    const at = (n: number) => windowFiguresAt(engine.clickhouse, { brand: 'b1', window: '5m' }, end(n));
    expect(await at(1)).toMatchObject({ end: end(1), visitors: 12 });
    expect(await at(2)).toBeNull();
    expect(await at(4)).toBeNull();
  });
});

describe('windowSeries', () => {
  it('sums each end, leaves out what is not whole, and bounds the points from the newest back', async () => {
    const ends = Array.from({ length: 20 }, (_, n) => n);
    await write(...ends.flatMap((n) => [row(0, n, n), row(1, n, 100)]), beat(0, 19), beat(1, 15));
    const series = (pointsMax: number, from = 0) =>
      windowSeries(engine.clickhouse, { brand: 'b1', window: '5m', from: end(from), to: end(99), pointsMax });
    const all = await series(500, 13);
    expect(all.map(({ end: at, visitors, status }) => [at, visitors, status])).toEqual([
      [end(13), 113, 'closed'],
      [end(14), 114, 'closed'],
      // Partition 1 has rows beyond its heartbeat, so these ends are as whole as provisional ones.
      ...[15, 16, 17, 18, 19].map((n) => [end(n), 100 + n, 'closed']),
    ]);
    expect((await series(7)).map(({ end: at }) => (at - T0) / STEP)).toEqual([1, 4, 7, 10, 13, 16, 19]);
    expect(await series(1)).toHaveLength(1);
  });
});
