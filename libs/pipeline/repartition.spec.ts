/** The log gets other partitions: with the real log, store, codecs and workers, on one machine. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logTopicSpec } from '#contracts';
import { defaultRules, personKey, type LogEntry, type TierChanged, type Touchpoint } from '#domain';
import { epochRaised, feed, join, pay, PipelineWorld, rulesSet, tick, WORLD_GROUP } from '#testing';
import { CurrentLog } from './current-log.js';
import { ForeignLogError } from './log-identity.js';
import type { Log, TopicPartition } from './log.js';
import { openPartition } from './open-partition.js';
import { partitionOf } from './partition.js';
import { planRepartition, repartition, type LogCopy, type RepartitionPorts } from './repartition.js';
import { RepartitionRefused } from './survey-log.js';
import { TOPICS } from './topics.js';

const LOGICAL = TOPICS.relationshipLog;
const FROM = 3;
const PERSONS = ['ann', 'bob', 'cai', 'dan', 'eve', 'fei', 'guo', 'han', 'ida', 'jin'];
const HOUR = 3_600_000;
const RULES = defaultRules({
  duesPerTick: 2,
  windows: [{ id: '6h', widthMs: 6 * HOUR, slideMs: HOUR, latenessMs: HOUR }],
});
/** Everybody joins and buys twice within thirty days; at the last midnight nobody has fallen yet. */
const HISTORY: readonly Touchpoint[] = PERSONS.flatMap((person, nth) => [
  join(`2024-11-01 10:${10 + nth}`, { person }),
  pay(`${person}-1`, `2024-11-02 10:${10 + nth}`, { person }),
  pay(`${person}-2`, `2024-11-03 10:${10 + nth}`, { person }),
]);

describe('repartitioning the log', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open(FROM);
    for (let partition = 0; partition < FROM; partition += 1) {
      await world.lay([epochRaised(), rulesSet(RULES)], partition);
    }
    await toAll(world.log, [tick('2024-11-01 09:00'), ...HISTORY, tick('2024-11-04 00:00')]);
    await foldAll(world.log);
  });
  afterEach(() => world.close());

  const partitionsOf = async (log: Log): Promise<number> => (await log.ends(LOGICAL)).length;
  const ports = (changes: Partial<RepartitionPorts> = {}): RepartitionPorts => ({
    ...{ log: world.log, codec: world.codecs.log, group: WORLD_GROUP, now: () => 1 },
    assertIdle: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    ...changes,
  });
  const change = async (partitions: number, changes: Partial<RepartitionPorts> = {}) => {
    const target = { logId: `log of ${partitions}`, generationUsed: 0, specOf: logTopicSpec };
    return repartition(ports(changes), await planRepartition(ports(changes), partitions), target);
  };

  /** As intake would, and the owners of the partitions with their ticks. */
  async function toAll(log: Log, entries: readonly LogEntry[]): Promise<void> {
    const count = await partitionsOf(log);
    for (const entry of entries) {
      const value = world.codecs.log.encode(entry);
      const targets =
        'eventId' in entry
          ? [partitionOf(personKey(entry.brand, entry.person), count)]
          : Array.from({ length: count }, (_, partition) => partition);
      await log.append(targets.map((partition) => ({ topic: LOGICAL, partition, key: null, value })));
    }
  }

  /** Folds what the log has, as a process that starts now and ends in order. */
  async function foldAll(log: Log): Promise<void> {
    const worker = world.worker({ log }, { drainMs: 100 });
    for (let partition = 0; partition < (await partitionsOf(log)); partition += 1) {
      await feed(log, worker, { topic: LOGICAL, partition });
      await worker.revoked({ topic: LOGICAL, partition });
    }
  }

  async function published(): Promise<readonly string[]> {
    return (await world.facts()).map(briefly).sort();
  }

  it.each([
    [3, 5],
    [3, 1],
    [3, 2],
  ])('publishes nothing twice, and nothing less: %i to %i partitions', async (_, to) => {
    const before = await published();
    expect(before.length).toBeGreaterThan(PERSONS.length);
    const done = await change(to);
    expect(done).toMatchObject({ topic: 'relationship-log.g2', epoch: 2, generation: 2 });
    const log = new CurrentLog(world.log);
    expect(await partitionsOf(log)).toBe(to);
    await foldAll(log);
    expect(await published()).toEqual(before);

    // Time goes on: everybody falls, once, though more are due at once than one tick looks at.
    for (const midnight of ['2024-12-02 00:00', '2024-12-03 00:00']) {
      await toAll(log, [tick(midnight)]);
      await foldAll(log);
    }
    const news = (await world.facts()).filter(({ version }) => version >= 2n * 2n ** 48n);
    const falls = news.filter(({ schemeId, cause }) => schemeId === 'rolling:30d' && cause === 'TIME');
    expect(falls.map(({ person, from, to: tier }) => `${person} ${from} ${tier}`).sort()).toEqual(
      PERSONS.flatMap((person) => [`${person} 3 2`, `${person} 4 3`]),
    );
    expect(await published()).toHaveLength(before.length + news.length);
  });

  it('leaves nobody behind who fell before, though more are due at once than one tick looks at', async () => {
    for (const midnight of ['2024-12-02 00:00', '2024-12-03 00:00']) {
      await toAll(world.log, [tick(midnight)]);
      await foldAll(world.log);
    }
    const before = await published();
    await change(1);
    const log = new CurrentLog(world.log);
    await foldAll(log);
    await toAll(log, [tick('2024-12-03 00:10')]);
    await foldAll(log);
    expect(await published()).toEqual(before);
  });

  it('can be done again, and keeps the stores of former logs out of the way', async () => {
    await change(5);
    const log = new CurrentLog(world.log);
    await foldAll(log);
    const before = await published();
    expect(await change(2)).toMatchObject({ topic: 'relationship-log.g3', epoch: 3, generation: 3 });
    const next = new CurrentLog(world.log);
    const input = { topic: LOGICAL, partition: 0 };
    const { state, origin } = await openPartition(input, world.ports({ log: next }));
    state.close();
    expect(origin.setAside?.reason).toContain('before it was repartitioned (epoch 2)');
    expect(state.position).toBe(0);
    await foldAll(next);
    expect(await published()).toEqual(before);
    expect(await partitionsOf(next)).toBe(2);
  });

  it('takes a generation that nothing is stored of', async () => {
    const target = { logId: 'another', generationUsed: 6, specOf: logTopicSpec };
    const done = await repartition(ports(), await planRepartition(ports(), 2), target);
    expect(done).toMatchObject({ topic: 'relationship-log.g7', epoch: 2, generation: 7 });
  });

  it('says before it is the log up to where it was published, and its owners when they have come there', async () => {
    const told: LogCopy[] = [];
    const announce = async (copy: LogCopy): Promise<void> => {
      expect(await partitionsOf(new CurrentLog(world.log))).toBe(FROM);
      told.push(copy);
    };
    const { generation, epoch } = await change(2, { announce });
    const log = new CurrentLog(world.log);
    expect(told).toEqual([
      { generation, epoch, logId: 'log of 2', ends: await log.ends(LOGICAL), hasWindows: true },
    ]);
    // A flush after every record: the last end of a window has been told long before the last record is folded.
    const worker = world.worker({ log }, { flushIntervalMs: 0 });
    for (const { partition, end } of told[0]?.ends ?? []) {
      await feed(log, worker, { topic: LOGICAL, partition }, () => 1);
      await worker.flushAll();
      await worker.revoked({ topic: LOGICAL, partition });
      const [beat] = world.sink
        .rows('window_heartbeats')
        .filter((row) => row.partition === partition && row.generation === generation);
      expect(beat?.version).toBe(BigInt(epoch) * 2n ** 48n + BigInt(end));
    }
  });

  it('that cannot be announced is not made the log', async () => {
    const announce = () => Promise.reject(new Error('ClickHouse is away'));
    await expect(change(2, { announce })).rejects.toThrow('ClickHouse is away');
    expect(await partitionsOf(new CurrentLog(world.log))).toBe(FROM);
  });

  it('holds the same entries of every person, in their order', async () => {
    const log = new CurrentLog(world.log);
    const before = await entriesByPerson(log, await partitionsOf(log));
    await change(4);
    const after = await entriesByPerson(new CurrentLog(world.log), 4);
    expect(after).toEqual(before);
    expect(after.size).toBe(PERSONS.length);
  });

  async function entriesByPerson(log: Log, partitions: number): Promise<ReadonlyMap<string, unknown[]>> {
    const found = new Map<string, unknown[]>();
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const { records } of log.read({ topic: LOGICAL, partition }, 0)) {
        for (const { value } of records) {
          const entry = world.codecs.log.decode(value);
          if (!('eventId' in entry)) continue;
          expect(partitionOf(personKey(entry.brand, entry.person), partitions)).toBe(partition);
          found.set(entry.person, [...(found.get(entry.person) ?? []), entry]);
        }
      }
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  it('that is broken off anywhere has changed nothing, and begins anew', async () => {
    const before = await published();
    const calls = await callsOf((log) => change(5, { log }));
    expect(calls).toBeGreaterThan(15);
    await world.close();
    world = await PipelineWorld.open(FROM);
    for (let partition = 0; partition < FROM; partition += 1) {
      await world.lay([epochRaised(), rulesSet(RULES)], partition);
    }
    await toAll(world.log, [tick('2024-11-01 09:00'), ...HISTORY, tick('2024-11-04 00:00')]);
    await foldAll(world.log);
    // The last call appoints the new topic: whoever does not hear that it did, finds it done.
    for (let nth = 1; nth < calls; nth += 1) {
      await expect(change(5, { log: brokenAt(world.log, nth) })).rejects.toThrow('broken off');
      expect(await partitionsOf(new CurrentLog(world.log))).toBe(FROM);
    }
    await change(5);
    const log = new CurrentLog(world.log);
    expect(await partitionsOf(log)).toBe(5);
    await foldAll(log);
    expect(await published()).toEqual(before);
  });

  async function callsOf(work: (log: Log) => Promise<unknown>): Promise<number> {
    const counted = { calls: 0 };
    await work(counting(world.log, () => (counted.calls += 1)));
    return counted.calls;
  }

  describe('is refused', () => {
    const refusal = (partitions = 5, changes: Partial<RepartitionPorts> = {}) =>
      expect(change(partitions, changes)).rejects;

    it('where the log has these partitions already', async () => {
      await refusal(3).toThrow('has 3 partitions already');
    });

    it('while somebody uses the log', async () => {
      const busy = () => Promise.reject(new RepartitionRefused('group intake has 1 members'));
      await refusal(5, { assertIdle: busy }).toThrow('group intake has 1 members');
    });

    it('where something was not folded yet', async () => {
      await toAll(world.log, [pay('late', '2024-11-04 10:00', { person: 'ann' })]);
      await refusal().toThrow(/has folded relationship-log-\d up to offset \d+ of \d+: let it catch up/);
    });

    it('where a day has ended in one partition and not in another', async () => {
      await world.lay([tick('2024-11-05 00:00')], 1);
      await foldAll(world.log);
      await refusal().toThrow('with the end of a day between');
      await world.lay([tick('2024-11-05 00:00')], 0);
      await world.lay([tick('2024-11-05 00:00'), tick('2024-11-05 00:10')], 2);
      await foldAll(world.log);
      expect(await change(5)).toMatchObject({ generation: 2 });
    });

    it('where a rebuild has gone over in some partitions only', async () => {
      await world.lay([epochRaised(2, 2)], 1);
      const writer = await world.log.writer(WORLD_GROUP, world.input(1));
      const [end] = (await world.log.ends(LOGICAL)).filter(({ partition }) => partition === 1);
      await writer.commit({ records: [], positions: [{ ...world.input(1), offset: end?.end ?? 0 }] });
      await refusal().toThrow('partition 0 is in epoch 1 and another one in epoch 2');
    });

    it('where nobody has been looked at by new rules', async () => {
      await toAll(world.log, [rulesSet({ ...RULES, duesPerTick: 3 })]);
      await foldAll(world.log);
      await refusal().toThrow('new rules, by which nobody was looked at yet');
    });

    it('where the log has grown meanwhile', async () => {
      let asked = 0;
      const assertIdle = async (): Promise<void> => {
        if ((asked += 1) === 2) await toAll(world.log, [pay('late', '2024-11-04 10:00', { person: 'ann' })]);
      };
      await refusal(5, { assertIdle }).toThrow('has grown while it was copied');
      expect(await partitionsOf(new CurrentLog(world.log))).toBe(FROM);
    });

    it('to open the copy where it is not known what was published', async () => {
      await change(5);
      const log = new CurrentLog(world.log);
      const input: TopicPartition = { topic: LOGICAL, partition: 4 };
      const open = openPartition(input, world.ports({ log, group: 'another' }));
      await expect(open).rejects.toThrow(ForeignLogError);
      await expect(open).rejects.toThrow('was repartitioned (it begins with epoch 2)');
    });
  });
});

function briefly({ version: _, ...fact }: TierChanged): string {
  return JSON.stringify(fact);
}

/** @param called   before every call that asks or changes something */
function counting(log: Log, called: () => void): Log {
  const first = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      called();
      return call(...args);
    };
  };
  return {
    consumer: (options) => log.consumer(options),
    tail: (input, from, signal) => log.tail(input, from, signal),
    read: (input, from, to) => log.read(input, from, to),
    close: () => log.close(),
    settled: first((topic) => log.settled(topic)),
    ends: first((topic) => log.ends(topic)),
    committed: first((group, input) => log.committed(group, input)),
    append: first((records) => log.append(records)),
    applyTopics: first((specs, dryRun) => log.applyTopics(specs, dryRun)),
    dropTopic: first((topic) => log.dropTopic(topic)),
    writer: first(async (group, input) => {
      const writer = await log.writer(group, input);
      return { commit: first((transaction) => writer.commit(transaction)), close: () => writer.close() };
    }),
  };
}

/** The process ends before its nth call: nothing after it has any effect. */
function brokenAt(log: Log, nth: number): Log {
  let calls = 0;
  return counting(log, () => {
    if ((calls += 1) >= nth) throw new Error('broken off');
  });
}
