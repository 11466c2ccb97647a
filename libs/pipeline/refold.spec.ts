import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  defaultRules,
  defaultSchemes,
  personKey,
  personSummaries,
  type LogEntry,
  type Relationship,
} from '#domain';
import { epochRaised, FoldHarness, instant, join, pay, PipelineWorld, rulesSet, tick } from '#testing';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { refold } from './refold.js';

describe('folding the log again', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open(2);
  });
  afterEach(() => world.close());

  const again = (before: number | null, rules = defaultRules()) =>
    refold({ log: world.log, codec: world.codecs.log, rules, before });

  it('answers for any instant, by any scheme, over all partitions', async () => {
    const start: readonly LogEntry[] = [epochRaised(), rulesSet(defaultRules())];
    const a = { person: 'a' };
    await world.lay([
      ...start,
      join('2024-11-01 09:00', a),
      pay('o1', '2024-11-01 10:00', a),
      tick('2024-11-05 00:00'),
    ]);
    await world.lay([pay('o2', '2024-11-10 10:00', a), tick('2025-02-01 00:00')]);
    await world.lay([...start, join('2024-11-12 09:00', { person: 'b' })], 1);
    const tierAt = async (text: string, rules = defaultRules()) => {
      const at = instant(text);
      const { states } = await again(at, rules);
      const state = states.get(personKey('brand', 'a'));
      return state === undefined ? [] : personSummaries(state, rules, at - 1).map(({ tier }) => tier);
    };
    expect(await tierAt('2024-11-01 09:00')).toEqual([]);
    expect(await tierAt('2024-11-05 00:00')).toEqual([3, 3]);
    expect(await tierAt('2024-11-10 10:00:00.001')).toEqual([4, 4]);
    expect(await tierAt('2024-12-05 00:00')).toEqual([3, 2]);
    expect(await tierAt('2025-02-01 00:00')).toEqual([2, 2]);
    const [common] = defaultSchemes();
    if (common === undefined) throw new Error('no scheme');
    const span = { kind: 'span', from: '2024-11-01', to: '2024-11-10' } as const;
    const rules = defaultRules({ schemes: [{ ...common, id: 'span', period: span }] });
    expect(await tierAt('2025-02-01 00:00', rules)).toEqual([3]);
    const all = await again(null);
    expect(all.states.size).toBe(2);
    expect(all.lastEventAt).toBe(instant('2024-11-12 09:00'));
    const totals: number[] = [];
    await refold({
      log: world.log,
      codec: world.codecs.log,
      rules: defaultRules(),
      before: null,
      onProgress: ({ records, total }) => totals.push(records / total),
    });
    expect(totals.at(-1)).toBe(1);
  });

  it('of an empty log has nobody', async () => {
    const { states, lastEventAt } = await again(null);
    expect([states.size, lastEventAt]).toEqual([0, null]);
  });

  it('finds the persons that the live fold has', async () => {
    const [log] = fc.sample(personLog(3_000_000), { numRuns: 1, seed: 5 });
    if (log === undefined) throw new Error('no sample');
    const entries = arrivals(log, 0);
    await world.lay([epochRaised(), rulesSet(LOG_RULES), ...entries]);
    const live = new FoldHarness(LOG_RULES);
    live.fold(entries);
    const { states } = await again(null, LOG_RULES);
    const at = live.frame.watermark;
    const of = (each: { values(): Iterable<Relationship> }) =>
      [...each.values()]
        .flatMap((state) => personSummaries(state, LOG_RULES, at))
        .sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
    expect(of(states)).toEqual(of(live.states));
  });
});
