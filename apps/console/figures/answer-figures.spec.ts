import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClickHouseFigureSink, TouchpointSink } from '#clickhouse';
import type { FigureRow, HeartbeatRow, PeriodFigureRow, WindowFigureRow } from '#pipeline';
import { linkFact, openEmbeddedClickHouse, paidFact, visitFact, type EmbeddedClickHouse } from '#testing';
import { answerFigures, type FiguresQuestion } from './answer-figures.js';
import { figuresAnswerSchema } from './answers.js';
import { foldProgress } from './fold-progress.js';
import { periodCloses, periodRows } from './period-rows.js';

const MIDNIGHT = Date.UTC(2026, 10, 10, 16);
const END = MIDNIGHT + 3_600_000;
const EPOCH = 1n << 48n;

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

function windowRow(partition: number, offset: number, more: Partial<WindowFigureRow>): WindowFigureRow {
  return {
    ...{ table: 'window_figures', brand: '雲裳', channel: 'all', window: '5m', end: END },
    ...{ partition, generation: 1, version: EPOCH + BigInt(offset), status: 'provisional' },
    ...{
      watermark: END - 4_000,
      visitors: 10,
      active: 6,
      active_related: 3,
      visitors_related: 5,
      capital: 7,
    },
    ...{ orders: 2, buyers: 1, capital_reachable: 4, gmv_gross_minor: 500, refunds_minor: 20 },
    ...more,
  } as const;
}

function periodRow(partition: number, offset: number, more: Partial<PeriodFigureRow>): PeriodFigureRow {
  return {
    ...{
      table: 'period_figures',
      brand: '雲裳',
      channel: 'all',
      scheme_id: 'rolling:30d',
      period_id: 'rolling:30d',
    },
    ...{
      day: '2026-11-11',
      partition,
      generation: 1,
      version: EPOCH + BigInt(offset),
      status: 'provisional',
    },
    ...{ watermark: END - 60_000, capital: 7, capital_base: 4, new_relations: 2, lost_relations: 1 },
    ...{ orders: 2, gmv_gross_minor: 500, refunds_minor: 20, deepened: 3, deepened_cohort: 2 },
    tiers: [1, 4, 1, 1, 1, 0],
    ...more,
  } as const;
}

function heartbeat(partition: number, offset: number, window = '5m', end = END - 10_000): HeartbeatRow {
  return {
    table: 'window_heartbeats',
    partition,
    generation: 1,
    version: EPOCH + BigInt(offset),
    window,
    end,
  };
}

const write = (...rows: FigureRow[]): Promise<void> =>
  new ClickHouseFigureSink(engine.clickhouse).write(rows);

const QUESTION: FiguresQuestion = {
  ...{ brand: '雲裳', channel: 'all', window: '5m', at: null, schemeId: 'rolling:30d', partitionsTotal: 2 },
};
const ask = (more: Partial<FiguresQuestion> = {}) =>
  answerFigures(engine.clickhouse, { ...QUESTION, ...more });

describe('answerFigures', () => {
  it('has no answer before the first rows', async () => {
    expect(await ask()).toBeNull();
  });

  it('adds up the partitions, and says as of when and from which positions', async () => {
    await write(
      windowRow(0, 70, {
        channel: 'live',
        visitors: 4,
        active: 2,
        active_related: 2,
        visitors_related: 3,
        capital: 2,
      }),
      windowRow(0, 70, {}),
      windowRow(1, 80, { visitors: 20, watermark: END - 2_000 }),
      periodRow(0, 40, {}),
      periodRow(1, 80, { tiers: [0, 0, 0, 0, 3, 0], capital: 3, capital_base: 0 }),
      heartbeat(0, 60),
      heartbeat(1, 61),
    );
    const answer = await ask();
    expect(figuresAnswerSchema.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({
      ...{ capital: 14, visitors: 30, active: 12, visitors_related: 10, active_related: 6, orders: 4 },
      ...{ buyers: 2, capital_reachable: 8 },
      ...{ gmv_gross_minor: 1_000, refunds_minor: 40, gmv_net_minor: 960 },
      connection: { numerator: 6, denominator: 30, value: 0.2 },
      stamp: {
        as_of: new Date(END).toISOString(),
        watermark: new Date(END - 4_000).toISOString(),
        ...{
          partitions_reporting: 2,
          partitions_total: 2,
          log_positions: { 0: 70, 1: 80 },
          status: 'provisional',
        },
      },
      period: {
        capital: 10,
        net_relations: 2,
        conversion: { numerator: 6, denominator: 4, value: 1.5 },
        conversion_cohort: { numerator: 4, denominator: 4, value: 1 },
        tiers: [1, 4, 1, 1, 4, 0],
        // The first partition's row is old because nothing has changed since: its heartbeat vouches for it.
        stamp: { watermark: new Date(END - 10_000).toISOString(), log_positions: { 0: 60, 1: 80 } },
      },
    });
    // A window that this log has not.
    expect(await ask({ window: '1m' })).toMatchObject({
      ...{ window: '1m', visitors: 0, period: { capital: 10 } },
      stamp: { as_of: new Date(END - 10_000).toISOString(), status: 'incomplete' },
    });
  });

  it('answers for one channel, and with zeros for one in which nothing happened', async () => {
    expect(await ask({ channel: 'live' })).toMatchObject({
      ...{ visitors: 4, connection: { value: 0.5 }, period: null },
      stamp: { log_positions: { 0: 70, 1: 80 }, status: 'provisional' },
    });
    expect(await ask({ channel: 'group' })).toMatchObject({
      ...{ visitors: 0, connection: { numerator: 0, denominator: 0, value: null } },
      stamp: { as_of: new Date(END).toISOString(), status: 'provisional' },
    });
  });

  it('is a lower bound while partitions are missing', async () => {
    const answer = await ask({ partitionsTotal: 3 });
    expect(answer?.stamp).toMatchObject({
      status: 'incomplete',
      partitions_reporting: 2,
      partitions_total: 3,
    });
    expect(answer?.period?.stamp.status).toBe('incomplete');
  });

  it('answers for a closed end from its rows', async () => {
    const closed = END - 10_000;
    await write(
      windowRow(0, 50, { end: closed, status: 'closed', visitors: 8 }),
      windowRow(1, 51, { end: closed, status: 'closed', visitors: 9 }),
    );
    expect(await ask({ at: closed })).toMatchObject({
      ...{ visitors: 17, period: null },
      stamp: { as_of: new Date(closed).toISOString(), status: 'closed' },
    });
  });

  it('answers for any other instant from the raw facts, also with the close of the day where one is asked for', async () => {
    await new TouchpointSink(engine.clickhouse).write(
      [
        linkFact('p1', 'SHOP_FAN', true, { at: MIDNIGHT - 100_000, brand: '雲裳' }),
        // What the log begins with; of whichever brand.
        visitFact('p9', { at: MIDNIGHT - 300_000, brand: 'another' }),
        visitFact('p1', { at: MIDNIGHT - 60_000, brand: '雲裳' }),
        visitFact('p2', { at: MIDNIGHT - 50_000, brand: '雲裳' }),
        paidFact('p2', 'o1', 990, { at: MIDNIGHT - 40_000, brand: '雲裳' }),
        visitFact('p3', { at: MIDNIGHT, brand: '雲裳' }),
      ].map((touchpoint, offset) => ({
        touchpoint,
        detail: null,
        partition: 0,
        offset,
        version: EPOCH + BigInt(offset),
      })),
    );
    await write(
      periodRow(0, 30, { day: '2026-11-10', status: 'closed', capital: 5 }),
      periodRow(1, 30, { day: '2026-11-09', status: 'closed', capital: 2 }),
    );
    const atMidnight = await ask({ at: MIDNIGHT });
    expect(atMidnight).toMatchObject({
      ...{ visitors: 2, visitors_related: 1, active: 2, orders: 1, gmv_gross_minor: 990, capital: 1 },
      stamp: { as_of: new Date(MIDNIGHT).toISOString(), status: 'closed' },
      period: { day: '2026-11-10', capital: 7, stamp: { as_of: new Date(MIDNIGHT).toISOString() } },
    });
    expect(await ask({ at: MIDNIGHT + 1 })).toMatchObject({ visitors: 3, period: null });
    // The same instant is no midnight elsewhere.
    expect((await ask({ at: MIDNIGHT, zone: 'UTC' }))?.period).toBeNull();
  });

  it('is a lower bound where the window reaches back before the first event', async () => {
    const before = await ask({ at: Date.UTC(1900, 0, 1) });
    expect(before).toMatchObject({ visitors: 0, capital: 0, stamp: { status: 'incomplete' } });
    expect((await ask({ at: MIDNIGHT - 1 }))?.stamp.status).toBe('incomplete');
    expect((await ask({ at: MIDNIGHT }))?.stamp.status).toBe('closed');
    expect((await ask({ at: MIDNIGHT, window: '1h' }))?.stamp.status).toBe('incomplete');
  });

  it('speaks of no instant that time has not reached', async () => {
    const live = await ask();
    expect(live?.stamp.as_of).toBe(new Date(END).toISOString());
    for (const at of [END, END + 1, Date.UTC(2030, 0, 1)]) expect(await ask({ at })).toEqual(live);
    // The end that is open has been reached in part.
    expect((await ask({ at: END - 1 }))?.stamp).toMatchObject({
      ...{ as_of: new Date(END - 1).toISOString(), status: 'provisional' },
    });
    // One partition alone has got to the next end: no live answer yet, but what has come so far counts.
    await write(windowRow(0, 90, { end: END + 10_000 }));
    expect((await ask())?.stamp.as_of).toBe(live?.stamp.as_of);
    expect((await ask({ at: Date.UTC(2030, 0, 1) }))?.stamp).toMatchObject({
      ...{ as_of: new Date(END + 10_000).toISOString(), status: 'provisional' },
    });
    // No end of this window is known: then as far as time has got.
    expect((await ask({ at: Date.UTC(2030, 0, 1), window: '24h' }))?.stamp.as_of).toBe(
      new Date(END - 10_000).toISOString(),
    );
  });

  it('takes what was asked for as a value, whatever it is', async () => {
    expect(await ask({ brand: "x' OR 1=1 --" })).toMatchObject({ capital: 0, period: null });
  });
});

describe('periodCloses', () => {
  it('stands on the newest row up to the day where a partition has none on it', async () => {
    const progress = await foldProgress(engine.clickhouse);
    if (progress === null) throw new Error('no progress');
    const rows = await periodRows(engine.clickhouse, {
      ...{ brand: '雲裳', channel: 'all', schemeId: 'rolling:30d', keep: 'day', generation: 1 },
    });
    expect(
      periodCloses(rows, 'day', 2, progress).map(({ day, capital, new_relations }) => [
        day,
        capital,
        new_relations,
      ]),
    ).toEqual([
      ['2026-11-11', 10, 4],
      ['2026-11-10', 7, 2],
    ]);
    expect(periodCloses(rows, 'period', 9, progress).map(({ day }) => day)).toEqual(['2026-11-11']);
  });
});
