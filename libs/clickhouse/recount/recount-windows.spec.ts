/** Many ends at once against one end at a time, where an off-by-one would show: at the edges of slides and windows. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_CHANNELS, noted, type Touchpoint } from '#domain';
import {
  type EmbeddedClickHouse,
  engagementFact,
  linkFact,
  openEmbeddedClickHouse,
  paidFact,
  refundFact,
  visitFact,
} from '#testing';
import { addedCounts, NO_COUNTS } from '../queries/window-counts.js';
import { windowFiguresFromFacts } from '../queries/window-figures-from-facts.js';
import { TouchpointSink } from '../sinks/touchpoint-sink.js';
import { recountWindows } from './recount-windows.js';

const S = 60_000;
const WINDOW = { widthMs: 3 * S, slideMs: S };
const FIRST = Date.UTC(2026, 10, 11, 12);
const ENDS = 9;
/** The middle one. */
const T = FIRST + 4 * S;
const EDGES = [T - 1, T, T + 1];

const word = (person: string, on: boolean, at: number): Touchpoint =>
  noted(visitFact(person, { at, channel: 'group' }), {
    ...{ note: 'REACH', on, role: null, assignee: null, inviter: null },
  });
const spell = (person: string, from: number, to: number): Touchpoint[] => [
  linkFact(person, 'GROUP', true, { at: from, channel: 'group' }),
  linkFact(person, 'GROUP', false, { at: to, channel: 'group' }),
];

const FACTS: readonly Touchpoint[] = [
  ...EDGES.flatMap((at) => [
    visitFact(`came ${at}`, { at }),
    engagementFact(`acted ${at}`, { at, channel: 'live' }),
    engagementFact(`acted twice ${at}`, { at, channel: 'live' }),
    visitFact(`acted twice ${at}`, { at: at + S, channel: 'shop' }),
    paidFact(`paid ${at}`, `o${at}`, 100, { at }),
    paidFact(`paid ${at}`, `o${at}`, 50, { at: at + 2 * S, lineId: '2', channel: 'live' }),
    paidFact(`order:g${at}`, `g${at}`, 7, { at }),
    refundFact(`paid ${at}`, `o${at}`, 30, { at: at + S }),
  ]),
  ...EDGES.flatMap((from) =>
    [from, from + 1, T + S, T + 2 * S - 1].flatMap((to) => [
      ...spell(`linked ${from} ${to}`, from, to),
      visitFact(`linked ${from} ${to}`, { at: T + S + 5 }),
      engagementFact(`linked ${from} ${to}`, { at: T - S + 5, channel: 'group' }),
    ]),
  ),
  ...EDGES.flatMap((at) => [
    linkFact(`declined ${at}`, 'GROUP', true, { at: 1, channel: 'group' }),
    linkFact(`declined ${at}`, 'SHOP_FAN', true, { at: T + S, channel: 'shop' }),
    word(`declined ${at}`, false, at),
    ...(at === T ? [] : [word(`declined ${at}`, true, at + 2 * S)]),
  ]),
  { ...engagementFact('staff', { at: T }), staffOrBot: true },
  visitFact('moved', { at: T, eventId: 'm' }),
  visitFact('moved', { at: T - 3 * S, eventId: 'm' }),
];

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
  const entries = FACTS.map((touchpoint, offset) => {
    const partition = touchpoint.person.length % 3;
    return { touchpoint, detail: null, partition, offset, version: BigInt(offset) };
  });
  await new TouchpointSink(engine.clickhouse).write(entries);
});
afterAll(() => engine.close());

describe('many ends at once', () => {
  it('are counted as each alone, in every channel, by partition', async () => {
    const found = await recountWindows(engine.clickhouse, {
      ...{ brand: 'b1', window: WINDOW, first: FIRST, ends: ENDS },
    });
    expect(new Set(found.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
    for (let end = FIRST; end < FIRST + ENDS * S; end += S) {
      for (const channel of [ALL_CHANNELS, 'shop', 'live', 'group']) {
        const alone = await windowFiguresFromFacts(engine.clickhouse, {
          ...{ brand: 'b1', channel, widthMs: WINDOW.widthMs, at: end },
        });
        const together = found
          .filter((one) => one.end === end && one.channel === channel)
          .reduce((sum, { counts }) => addedCounts(sum, counts), NO_COUNTS);
        expect({ channel, nth: (end - FIRST) / S, ...together }).toEqual({
          ...{ channel, nth: (end - FIRST) / S },
          ...alone,
        });
      }
    }
    expect(found.every(({ end }) => end >= FIRST && end < FIRST + ENDS * S)).toBe(true);
  });
});
