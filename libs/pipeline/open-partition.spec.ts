import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry } from '#domain';
import { epochRaised, follow, PipelineWorld, rulesSet, tick, WORLD_GROUP } from '#testing';
import { ForeignLogError } from './log-identity.js';
import type { Log } from './log.js';
import { openPartition } from './open-partition.js';

const HISTORY: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(defaultRules()),
  follow('2024-11-10 10:00'),
  tick('2024-11-10 10:01'),
];

describe('opening a partition', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open();
  });
  afterEach(() => world.close());

  const open = (changes: Parameters<PipelineWorld['ports']>[0] = {}) =>
    openPartition(world.input(), world.ports(changes));

  it('starts a new one at the beginning', async () => {
    await world.lay(HISTORY);
    const { state, end } = await open();
    expect(state).toMatchObject({ position: 0, mutedTo: 0 });
    expect(end).toBe(HISTORY.length);
    state.close();
  });

  it('goes on from the checkpoint, muted up to what was committed', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    await world.lay([follow('2024-11-10 10:02', { person: 'p2' })]);
    const writer = await world.log.writer(WORLD_GROUP, world.input());
    await writer.commit({ records: [], positions: [{ ...world.input(), offset: 5 }] });
    const { state } = await open();
    expect(state).toMatchObject({ position: 4, mutedTo: 5 });
    expect(state.frame.watermark).toBe(Date.parse('2024-11-10T10:01+08:00'));
    state.close();
  });

  it('leaves the store closed when it refuses, so that it can be tried again', async () => {
    await world.lay([follow('2024-11-10 10:00')]);
    await expect(open()).rejects.toThrow(ForeignLogError);
    await expect(open()).rejects.toThrow(/does not start with EpochRaised but with link/);
  });

  it('refuses a store of another log', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    const other = await PipelineWorld.open();
    const [epoch] = HISTORY;
    if (epoch?.type !== 'epochRaised') throw new Error('no epoch');
    await other.lay([{ ...epoch, logId: 'another' }, ...HISTORY.slice(1)]);
    const writer = await other.log.writer(WORLD_GROUP, other.input());
    await writer.commit({ records: [], positions: [{ ...other.input(), offset: 4 }] });
    await expect(open({ log: other.log })).rejects.toThrow(
      /folded from log log, but this is log another.*delete/s,
    );
    await other.close();
  });

  it('refuses a log whose last applied record says something else', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    const other = await PipelineWorld.open();
    await other.lay([...HISTORY.slice(0, -1), tick('2024-11-10 10:02')]);
    const writer = await other.log.writer(WORLD_GROUP, other.input());
    await writer.commit({ records: [], positions: [{ ...other.input(), offset: 4 }] });
    await expect(open({ log: other.log })).rejects.toThrow(/up to record 3 .* another one .* delete/s);
    await other.close();
  });

  it('refuses when the committed position is gone, behind the store or beyond the log', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    await expect(open({ group: 'other' })).rejects.toThrow(/no committed offset.*[Dd]elete/s);
    const input = world.input();
    const commit = async (offset: number) => {
      const writer = await world.log.writer(WORLD_GROUP, input);
      await writer.commit({ records: [], positions: [{ ...input, offset }] });
    };
    await commit(3);
    await expect(open()).rejects.toThrow(/at offset 4, ahead of the committed offset 3\. Delete/);
    await commit(9);
    await expect(open()).rejects.toThrow(/committed offset 9 .* ends at 4.* delete/s);
    await commit(4);
    (await open()).state.close();
  });

  it('refuses to mute what a lost log would still have to publish', async () => {
    const writer = await world.log.writer(WORLD_GROUP, world.input());
    await writer.commit({ records: [], positions: [{ ...world.input(), offset: 100 }] });
    await world.lay(HISTORY);
    await expect(open()).rejects.toThrow(/committed offset 100 .* ends at 4/s);
  });

  it('refuses a log that has lost records which were never folded', async () => {
    await world.lay(HISTORY);
    const cut: Log = Object.assign(Object.create(world.log) as Log, {
      ends: () => Promise.resolve([{ partition: 0, start: 2, end: 4 }]),
    });
    await expect(open({ log: cut })).rejects.toThrow(/begins at offset 2, but the local state .* is at 0/);
  });

  it('refuses a store of another fold', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    const store = world.store.open(0);
    const checkpoint = store.checkpoint();
    if (checkpoint === null) throw new Error('no checkpoint');
    store.write({ checkpoint: { ...checkpoint, foldVersion: 0 }, states: [], blobs: [], outbox: [] });
    store.close();
    await expect(open()).rejects.toThrow(/folded by version 0 .* Delete/);
  });

  it('knows who is due, so that time goes on where it stood', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    const { state } = await open();
    expect(state.moreDue).toBe(false);
    state.close();
    // New rules make everybody due; the tick that would look at them never came.
    await world.lay([rulesSet(defaultRules({ refundHorizonDays: 90 }))]);
    await world.foldAll();
    const again = await open();
    expect(again.state.moreDue).toBe(true);
    again.state.close();
  });
});

/** The names of all blobs of a store. */
