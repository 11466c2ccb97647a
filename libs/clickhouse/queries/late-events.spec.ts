import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LateEventRow } from '#pipeline';
import { type EmbeddedClickHouse, openEmbeddedClickHouse } from '#testing';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { countLateEvents, lateEvents, type LateEventCursor, type LateEventsFilter } from './late-events.js';

const AT = Date.UTC(2026, 9, 31, 23, 59, 59, 999);
const MINUTE = 60_000;
let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

function row(eventId: string, at: number, more: Partial<LateEventRow> = {}): LateEventRow {
  return {
    ...{ table: 'late_events', brand: 'b1', channel: 'live', window: '5m', partition: 0, generation: 2 },
    ...{ version: 7n, event_id: eventId, person: 'p', at, arrived_at: at + 20 * MINUTE },
    ...{ missed_from: at + 1, missed_to: at + 5 * MINUTE + 1 },
    ...more,
  } as const;
}

const MEANT: LateEventsFilter = { brand: 'b1', generation: 2 };

async function walk(filter: Partial<LateEventsFilter> = {}, limit = 2): Promise<string[]> {
  const seen: string[] = [];
  let after: LateEventCursor | null = null;
  for (;;) {
    const page: readonly LateEventCursor[] = await lateEvents(engine.clickhouse, {
      ...{ ...MEANT, ...filter, after, limit },
    });
    seen.push(...page.map(({ eventId, person, window }) => `${eventId}/${person}/${window}`));
    const last = page.at(-1);
    if (last === undefined) return seen;
    after = last;
  }
}

describe('lateEvents', () => {
  it('has nothing before anything was late', async () => {
    expect(await lateEvents(engine.clickhouse, { ...MEANT, limit: 1 })).toEqual([]);
    expect(await countLateEvents(engine.clickhouse, MEANT)).toBe(0);
  });

  it('pages by event time without losing entries of one instant, each once, of one generation', async () => {
    const rows = [
      row('e1', AT),
      row('e1', AT, { window: '1h' }),
      row("e'2", AT, { person: '人' }),
      row("e'2", AT, { person: 'q', channel: 'shop' }),
      // Of the month after.
      row('e3', AT + 1),
    ];
    const sink = new ClickHouseFigureSink(engine.clickhouse);
    await sink.write([...rows, row('old', AT, { generation: 1 }), row('other', AT, { brand: 'b2' })]);
    await sink.write(rows.map((one) => ({ ...one, version: 8n, missed_to: one.missed_to + 1 })));
    const all = ['e1/p/1h', "e'2/q/5m", "e'2/人/5m", 'e1/p/5m', 'e3/p/5m'];
    for (const limit of [1, 2, 100]) expect(await walk({}, limit)).toEqual(all);
    expect(await countLateEvents(engine.clickhouse, MEANT)).toBe(all.length);
    expect(await lateEvents(engine.clickhouse, { ...MEANT, window: '1h', limit: 9 })).toEqual([
      {
        ...{ at: AT, window: '1h', eventId: 'e1', person: 'p', channel: 'live' },
        ...{ arrivedAt: AT + 20 * MINUTE, missedFrom: AT + 1, missedTo: AT + 5 * MINUTE + 2 },
      },
    ]);
  });

  it.each<[Partial<LateEventsFilter>, readonly string[]]>([
    [{ channel: 'shop' }, ["e'2/q/5m"]],
    [{ channel: 'all', window: '1h' }, ['e1/p/1h']],
    [{ from: AT + 1 }, ['e3/p/5m']],
    [{ to: AT + 1, window: '5m' }, ["e'2/q/5m", "e'2/人/5m", 'e1/p/5m']],
    [{ from: AT, to: AT }, []],
    [{ generation: 1 }, ['old/p/5m']],
    [{ missedEnd: AT }, []],
    [{ missedEnd: AT + 1 }, ['e1/p/1h', "e'2/q/5m", "e'2/人/5m", 'e1/p/5m']],
    [{ missedEnd: AT + 5 * MINUTE + 2 }, ['e3/p/5m']],
    [{ brand: "b1' OR 1=1 --" }, []],
  ])('filters by %j', async (filter, expected) => {
    expect(await walk(filter)).toEqual(expected);
    expect(await countLateEvents(engine.clickhouse, { ...MEANT, ...filter })).toBe(expected.length);
  });

  it('refuses a page that no answer should hold', async () => {
    await expect(lateEvents(engine.clickhouse, { ...MEANT, limit: 0 })).rejects.toThrow(RangeError);
  });
});
