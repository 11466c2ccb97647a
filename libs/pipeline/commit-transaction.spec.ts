import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PipelineWorld } from '#testing';
import { FaultPlan, faultyLog, type Fault } from '../testing/faulty-ports.js';
import { commitTransaction } from './commit-transaction.js';
import { CommitAbortedError, OwnershipLostError } from './log.js';
import { TOPICS } from './topics.js';

const GROUP = 'committer';

describe('a commit with its position', () => {
  let world: PipelineWorld;
  let offset = 0;
  beforeAll(async () => {
    world = await PipelineWorld.open();
  });
  afterAll(() => world.close());

  /** @returns how many records became visible */
  async function commit(fault: Fault | null): Promise<number> {
    const plan = new FaultPlan(fault === null ? [] : [{ call: 'writer.commit', nth: 0, fault }]);
    const log = faultyLog(world.log, plan);
    const input = world.input();
    const writer = await log.writer(GROUP, input);
    const before = await world.end(TOPICS.tiers);
    offset += 1;
    const record = { topic: TOPICS.tiers, partition: 0, key: `k${offset}`, value: Buffer.of(1) };
    try {
      await commitTransaction(log, writer, GROUP, [record], { ...input, offset });
    } finally {
      await writer.close();
    }
    expect(await world.log.committed(GROUP, input)).toBe(offset);
    return (await world.end(TOPICS.tiers)) - before;
  }

  it.each<Fault | null>([null, 'aborted', 'unknown, done', 'unknown, not done'])(
    'happens once, whatever is answered (%s)',
    async (fault) => {
      expect(await commit(fault)).toBe(1);
    },
  );

  it('says at once that ownership is lost', async () => {
    await expect(commit('ownership lost')).rejects.toThrow(OwnershipLostError);
    offset -= 1;
    expect(await world.log.committed(GROUP, world.input())).toBe(offset);
  });

  it('gives up after some attempts, with nothing visible', async () => {
    const before = await world.end(TOPICS.tiers);
    await expect(commit('aborted again and again')).rejects.toThrow(CommitAbortedError);
    offset -= 1;
    expect(await world.end(TOPICS.tiers)).toBe(before);
  });
});
