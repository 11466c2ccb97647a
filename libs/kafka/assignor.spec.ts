import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assignPartitions, type Member } from './assignor.js';

const partitionsOf = new Map([
  ['a', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['b', [0, 1, 2]],
]);
const member = (id: string, held: Member['held'] = [], stored: Member['stored'] = []): Member => ({
  id,
  topics: ['a', 'b'],
  held,
  stored,
});
const countOf = (assignment: ReturnType<typeof assignPartitions>, topic: string): number[] =>
  [...assignment.values()].map((own) => own.filter((one) => one.topic === topic).length);
const keyOf = ({ topic, partition }: Member['held'][number]): string => `${topic}${partition}`;
const ofTopicA = (own: Member['held'] = []): number[] =>
  own
    .filter(({ topic }) => topic === 'a')
    .map(({ partition }) => partition)
    .sort((a, b) => a - b);

describe('assignPartitions', () => {
  it('gives each partition to one member, evenly by topic, whatever the members claim to hold', () => {
    const held = fc.array(
      fc.record({ topic: fc.constantFrom('a', 'b', 'gone'), partition: fc.integer({ min: 0, max: 9 }) }),
      { maxLength: 12 },
    );
    const stored = fc.array(
      fc.record({
        topic: fc.constantFrom('a', 'b', 'gone'),
        partition: fc.integer({ min: 0, max: 9 }),
        offset: fc.integer({ min: 0, max: 20 }),
      }),
      { maxLength: 12 },
    );
    const claimed = fc.array(fc.tuple(held, stored), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(claimed, (claims) => {
        const assignment = assignPartitions(
          claims.map(([has, had], i) => member(`m${i}`, has, had)),
          partitionsOf,
        );
        const given = [...assignment.values()].flat().map(({ topic, partition }) => `${topic}${partition}`);
        const all = [...partitionsOf].flatMap(([topic, own]) =>
          own.map((partition) => `${topic}${partition}`),
        );
        expect([...given].sort()).toEqual(all.sort());
        for (const topic of partitionsOf.keys()) {
          const counts = countOf(assignment, topic);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('moves only what it must when a member comes and goes', () => {
    const alone = assignPartitions([member('x')], partitionsOf);
    const two = assignPartitions([member('x', alone.get('x')), member('y')], partitionsOf);
    const kept = (two.get('x') ?? []).filter(({ topic }) => topic === 'a');
    expect(kept).toHaveLength(4);
    const three = assignPartitions(
      [member('x', two.get('x')), member('y', two.get('y')), member('z')],
      partitionsOf,
    );
    const movedFromX = (two.get('x') ?? []).filter(
      (one) =>
        !(three.get('x') ?? []).some((now) => now.topic === one.topic && now.partition === one.partition),
    );
    expect(movedFromX.length).toBeLessThanOrEqual(3);
    const back = assignPartitions([member('x', two.get('x')), member('y', two.get('y'))], partitionsOf);
    expect(back).toEqual(two);
  });

  it('gives everybody what he had, after all have been restarted one by one', () => {
    const names = ['x', 'y', 'z', 'u'];
    const first = assignPartitions(
      names.map((id) => member(id)),
      partitionsOf,
    );
    let now = first;
    const disks = new Map(
      [...first].map(([id, own]) => [id, new Map(own.map((one) => [keyOf(one), { ...one, offset: 100 }]))]),
    );
    const storedBy = (id: string): Member['stored'] => [...(disks.get(id)?.values() ?? [])];
    for (const [turn, restarted] of names.entries()) {
      const others = names.filter((id) => id !== restarted);
      now = assignPartitions(
        others.map((id) => member(id, now.get(id), storedBy(id))),
        partitionsOf,
      );
      // Whoever has a partition meanwhile has its state on the disk as well, and a newer one.
      for (const [id, own] of now) {
        for (const one of own) disks.get(id)?.set(keyOf(one), { ...one, offset: 101 + turn });
      }
      now = assignPartitions(
        names.map((id) => member(id, now.get(id) ?? [], storedBy(id))),
        partitionsOf,
      );
      for (const [id, own] of first) expect([id, ofTopicA(now.get(id))]).toEqual([id, ofTopicA(own)]);
    }
  });

  it('gives what nobody has to where most of its state is', () => {
    const stored = [4, 5, 6, 7].map((partition) => ({ topic: 'a', partition, offset: 7 }));
    const older = [0, 1, 2, 3, 4, 5].map((partition) => ({ topic: 'a', partition, offset: 6 }));
    const assignment = assignPartitions([member('x', [], older), member('y', [], stored)], partitionsOf);
    expect(ofTopicA(assignment.get('x'))).toEqual([0, 1, 2, 3]);
    expect(ofTopicA(assignment.get('y'))).toEqual([4, 5, 6, 7]);
  });

  it('gives nothing to a member that did not ask for the topic', () => {
    const assignment = assignPartitions(
      [
        { id: 'x', topics: ['a'], held: [], stored: [] },
        { id: 'y', topics: ['b'], held: [], stored: [] },
      ],
      partitionsOf,
    );
    expect(new Set(assignment.get('x')?.map(({ topic }) => topic))).toEqual(new Set(['a']));
    expect(new Set(assignment.get('y')?.map(({ topic }) => topic))).toEqual(new Set(['b']));
  });
});
