import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import { follow, PipelineWorld } from '#testing';
import { firstEpoch, ForeignLogError, initialiseLog, LogNotInitialisedError } from './log-identity.js';
import type { Log, PartitionEnds } from './log.js';

describe('the first records of a log', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open(3);
  });
  afterEach(() => world.close());

  const initialise = (newLogId: string, log: Log = world.log) =>
    initialiseLog(log, world.codecs.log, { newLogId, now: () => 5, rules: defaultRules({ duesPerTick: 7 }) });
  const ids = async () => {
    const found: (string | undefined)[] = [];
    for (let partition = 0; partition < 3; partition += 1) {
      found.push((await firstEpoch(world.log, world.codecs.log, world.input(partition)))?.logId);
    }
    return found;
  };

  it('are its epoch and its rules, once per partition', async () => {
    expect(await initialise('a')).toEqual({ logId: 'a', initialised: [0, 1, 2] });
    expect(await initialise('b')).toEqual({ logId: 'a', initialised: [] });
    expect(await ids()).toEqual(['a', 'a', 'a']);
    const entries = await world.entries(2);
    expect(entries).toMatchObject([{ type: 'epochRaised', epoch: 1, generation: 1 }, { type: 'rulesSet' }]);
    expect(entries[1]).toHaveProperty('rulesJson', JSON.stringify(defaultRules({ duesPerTick: 7 })));
  });

  it('are those of one of several processes that begin at once', async () => {
    // Each process sees an empty log, and is overtaken at every step.
    const slow: Log = Object.assign(Object.create(world.log) as Log, {
      ends: async (topic: string) => {
        const ends = await world.log.ends(topic);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return ends;
      },
    });
    const setups = await Promise.all(['a', 'b', 'c', 'd'].map((id) => initialise(id, slow)));
    const [first] = await ids();
    expect(await ids()).toEqual([first, first, first]);
    expect(setups.map(({ logId }) => logId)).toEqual([first, first, first, first]);
    expect(setups.flatMap(({ initialised }) => initialised).sort()).toEqual([0, 1, 2]);
    for (let partition = 0; partition < 3; partition += 1)
      expect(await world.entries(partition)).toHaveLength(2);
  });

  it('are completed where a process died between two partitions', async () => {
    let commits = 0;
    const dying: Log = Object.assign(Object.create(world.log) as Log, {
      writer: async (...args: Parameters<Log['writer']>) => {
        const writer = await world.log.writer(...args);
        commits += 1;
        if (commits === 3) throw new Error('killed');
        return writer;
      },
    });
    await expect(initialise('a', dying)).rejects.toThrow('killed');
    expect(await initialise('b')).toEqual({ logId: 'a', initialised: [2] });
    expect(await ids()).toEqual(['a', 'a', 'a']);
  });

  it('are written where a process died within its transaction, which moves the end of the log', async () => {
    const ends = async (topic: string): Promise<readonly PartitionEnds[]> =>
      (await world.log.ends(topic)).map((one) => (one.end === 0 ? { ...one, end: 3 } : one));
    const log: Log = Object.assign(Object.create(world.log) as Log, { ends });
    expect(await initialise('a', log)).toEqual({ logId: 'a', initialised: [0, 1, 2] });
    expect(await initialise('b', log)).toEqual({ logId: 'a', initialised: [] });
  });

  it('are not put behind something else', async () => {
    await world.lay([follow('2024-11-10 10:00')], 1);
    await expect(initialise('a')).rejects.toThrow(ForeignLogError);
  });

  it('need the topic', async () => {
    const empty: Log = Object.assign(Object.create(world.log) as Log, { ends: () => Promise.resolve([]) });
    await expect(initialise('a', empty)).rejects.toThrow(LogNotInitialisedError);
  });
});
