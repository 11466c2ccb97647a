import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type TierChanged } from '#domain';
import { epochRaised, feed, follow, join, pay, PipelineWorld, rulesSet, tick, WORLD_GROUP } from '#testing';
import { FaultPlan, faultyLog } from '../testing/faulty-ports.js';
import { ArchiveWorker, type ArchiveSink, type RawFact } from './archive-worker.js';
import { LogCorruptError, type StoredDeadLetter } from './codecs.js';
import { OwnershipLostError, type Log } from './log.js';
import { TOPICS } from './topics.js';

const GROUP = 'archive';

/** Keeps what it is given, as often as it is given, and fails as often as it is told. */
class KeepingSink implements ArchiveSink {
  readonly facts: RawFact[] = [];
  readonly changes: TierChanged[] = [];
  readonly letters: StoredDeadLetter[] = [];
  failures = 0;

  writeFacts(facts: Iterable<RawFact>): Promise<void> {
    return this.#keep(this.facts, facts);
  }
  writeTierChanges(changes: Iterable<TierChanged>): Promise<void> {
    return this.#keep(this.changes, changes);
  }
  writeDeadLetters(letters: Iterable<StoredDeadLetter>): Promise<void> {
    return this.#keep(this.letters, letters);
  }
  #keep<T>(kept: T[], rows: Iterable<T>): Promise<void> {
    // It fails when it has asked for all rows: the next attempt asks for them anew.
    return new Promise((resolve, reject) => {
      const all = [...rows];
      this.failures -= 1;
      if (this.failures >= 0) {
        reject(new Error('ClickHouse is away'));
        return;
      }
      kept.push(...all);
      resolve();
    });
  }
}

describe('the archive worker', () => {
  let world: PipelineWorld;
  let sink: KeepingSink;
  const waits: number[] = [];
  beforeEach(async () => {
    world = await PipelineWorld.open();
    sink = new KeepingSink();
    waits.length = 0;
    await world.lay([
      epochRaised(3),
      rulesSet(defaultRules()),
      join('2024-11-10 09:00'),
      tick('2024-11-10 09:01'),
    ]);
    await world.lay([pay('o', '2024-11-10 10:00')]);
  });
  afterEach(() => world.close());

  const archive = (log: Log = world.log) =>
    new ArchiveWorker(
      {
        log,
        group: GROUP,
        sink,
        logCodec: world.codecs.log,
        tierChangedCodec: world.codecs.tierChanged,
        deadLetterCodec: world.codecs.deadLetter,
        now: () => 0,
      },
      { batch: () => undefined, waiting: (_, __, attempt) => waits.push(attempt) },
    );

  it('asks where to go on only after the former owner can move it no more', async () => {
    const former = await world.log.writer(GROUP, world.input());
    const log: Log = {
      ...faultyLog(world.log, new FaultPlan()),
      // It commits at the last moment.
      writer: async (group, input) => {
        await former.commit({ records: [], positions: [{ ...input, offset: 3 }] });
        return world.log.writer(group, input);
      },
    };
    expect(await archive(log).assigned(world.input())).toBe(3);
  });

  it('copies touchpoints with their version, leaves out control records, and commits behind the rows', async () => {
    await feed(world.log, archive(), world.input(), () => 2);
    expect(sink.facts.map(({ touchpoint: { type }, offset, version }) => [type, offset, version])).toEqual([
      ['link', 2, 3n * 2n ** 48n + 2n],
      ['orderPaid', 4, 3n * 2n ** 48n + 4n],
    ]);
    expect(await world.log.committed(GROUP, world.input())).toBe(5);
  });

  it('waits for a sink that is away, without committing, and goes on where it stood', async () => {
    await world.lay([epochRaised(4)]);
    sink.failures = 2;
    await feed(world.log, archive(), world.input());
    expect(waits).toEqual([1, 2]);
    // The epoch that the batch ends with is not that of the facts before it, however often they are made.
    expect(sink.facts.map(({ version }) => version / 2n ** 48n)).toEqual([3n, 3n]);
    sink.failures = 100;
    await world.lay([follow('2024-11-10 11:00')]);
    const worker = archive();
    expect(await worker.assigned(world.input())).toBe(6);
    const stale = { heartbeat: () => Promise.resolve(), isStale: () => true };
    for await (const batch of world.log.read(world.input(), 6)) {
      await expect(worker.batch(batch, stale)).rejects.toThrow('ClickHouse is away');
    }
    expect(await world.log.committed(GROUP, world.input())).toBe(6);
  });

  it('does not commit for somebody else, nor store what it knows', async () => {
    const worker = archive();
    await feed(world.log, worker, world.input());
    await (await world.log.writer(GROUP, world.input())).close();
    for await (const batch of world.log.read(world.input(), 0)) {
      await worker.batch(batch, { heartbeat: () => Promise.resolve(), isStale: () => false });
    }
    expect(sink.facts).toHaveLength(2);
    await world.lay([follow('2024-11-10 11:00')]);
    await expect(feedOn(worker, 5)).rejects.toThrow(OwnershipLostError);
    await expect(feedOn(worker, 5)).rejects.toThrow(/is not assigned here/);
  });

  async function feedOn(worker: ArchiveWorker, from: number): Promise<void> {
    for await (const batch of world.log.read(world.input(), from)) {
      await worker.batch(batch, { heartbeat: () => Promise.resolve(), isStale: () => false });
    }
  }

  it('stops at a record of our own log that cannot be read', async () => {
    await world.log.append([{ ...world.input(), key: null, value: Buffer.from('garbage') }]);
    await expect(feed(world.log, archive(), world.input())).rejects.toThrow(LogCorruptError);
    expect(await world.log.committed(GROUP, world.input())).toBeNull();
  });

  it('copies tier changes and dead letters', async () => {
    // A log of a later epoch is folded only by who knows what was published.
    const writer = await world.log.writer(WORLD_GROUP, world.input());
    await writer.commit({ records: [], positions: [{ ...world.input(), offset: 0 }] });
    await writer.close();
    const folding = world.worker();
    await feed(world.log, folding, world.input());
    await folding.revoked(world.input());
    const letter = world.codecs.deadLetter.encode({
      source: { topic: 'touchpoint.order', partition: 0, offset: 7 },
      arrivedAt: 1,
      reason: 'TRUNCATED',
      detail: '',
      key: null,
      value: Buffer.of(0, 1),
    });
    await world.log.append([{ topic: TOPICS.deadLetters, partition: 0, ...letter }]);
    const worker = archive();
    await feed(world.log, worker, { topic: TOPICS.tierChanges, partition: 0 });
    await feed(world.log, worker, { topic: TOPICS.deadLetters, partition: 0 });
    expect(sink.changes).toEqual(await world.facts());
    expect(sink.letters).toMatchObject([{ reason: 'TRUNCATED', value: Buffer.of(0, 1) }]);
  });
});
