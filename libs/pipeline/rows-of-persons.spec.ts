import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry, type Rules } from '#domain';
import {
  batchesOf,
  epochRaised,
  join,
  pay,
  PipelineWorld,
  RecordingFigureSink,
  rulesSet,
  tick,
  visit,
  WORLD_GROUP,
} from '#testing';
import type { TransactionalWriter } from './log.js';
import { openPartition } from './open-partition.js';
import type { PartitionState } from './partition-state.js';
import { processBatch } from './process-batch.js';

const RULES = defaultRules();
/** The same schemes by name, but one of them looks at a single day. */
const OTHER_RULES: Rules = {
  ...RULES,
  schemes: RULES.schemes.map((scheme) =>
    scheme.period.kind === 'rolling' ? { ...scheme, period: { kind: 'rolling', days: 1 } } : scheme,
  ),
};
const START: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(RULES),
  tick('2024-11-10 08:00'),
  join('2024-11-10 08:30'),
];

describe('the rows of persons', () => {
  let world: PipelineWorld;
  let state: PartitionState;
  let writer: TransactionalWriter;
  let sink: RecordingFigureSink;
  beforeEach(async () => {
    world = await PipelineWorld.open();
    writer = await world.log.writer(WORLD_GROUP, world.input());
    ({ state } = await openPartition(world.input(), world.ports()));
    sink = new RecordingFigureSink();
  });
  afterEach(async () => {
    state.close();
    await writer.close();
    await world.close();
  });

  async function fold(...entries: readonly LogEntry[]): Promise<void> {
    await world.lay(entries);
    const ports = { ...world.ports(), writer };
    for await (const batch of batchesOf(world.log, world.input(), state.position, () => 100)) {
      while (state.position < batch.nextOffset) await processBatch(batch, state, ports);
    }
  }

  async function flush(): Promise<void> {
    state.flush(true);
    while (state.outbox.size > 0) await state.outbox.pump(sink, 10_000, () => 0);
  }

  const rolling = () => {
    const row = sink.rows('persons').find(({ scheme_id }) => scheme_id === 'rolling:30d');
    return row === undefined ? undefined : { tier: row.tier, days: row.purchase_days, version: row.version };
  };

  it('are written for a purchase, and not for a visit', async () => {
    await fold(...START, pay('o1', '2024-11-10 09:00'));
    await flush();
    const bought = rolling();
    expect(bought).toMatchObject({ tier: 3, days: 1 });
    await fold(visit('2024-11-10 09:05'));
    await flush();
    expect(rolling()).toEqual(bought);
    await fold(pay('o2', '2024-11-10 09:10'));
    await flush();
    expect(rolling()?.version).toBeGreaterThan(bought?.version ?? 0n);
  });

  it('say what the rules say, also where they were others for a while', async () => {
    await fold(
      ...START,
      pay('o1', '2024-11-10 09:00'),
      tick('2024-11-11 09:00'),
      pay('o2', '2024-11-12 10:00'),
    );
    // Before anybody has been looked at by them.
    await fold(rulesSet(OTHER_RULES));
    await flush();
    expect(rolling()).toMatchObject({ tier: 3, days: 1 });
    await fold(rulesSet(RULES), tick('2024-11-12 10:01'), visit('2024-11-12 10:05'));
    await flush();
    expect(rolling()).toMatchObject({ tier: 4, days: 2 });
    const settled = rolling();
    await fold(visit('2024-11-12 10:06'));
    await flush();
    expect(rolling()).toEqual(settled);
  });
});
