import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assignPartitions, type Member } from './assignor.js';

const partitionsOf = new Map([
  ['a', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['b', [0, 1, 2]],
]);
const member = (id: string, held: Member['held'] = []): Member => ({ id, topics: ['a', 'b'], held });
const countOf = (assignment: ReturnType<typeof assignPartitions>, topic: string): number[] =>
  [...assignment.values()].map((own) => own.filter((one) => one.topic === topic).length);

describe('assignPartitions', () => {
  it('gives each partition to one member, evenly by topic, whatever the members claim to hold', () => {
    const held = fc.array(
      fc.record({ topic: fc.constantFrom('a', 'b', 'gone'), partition: fc.integer({ min: 0, max: 9 }) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.array(held, { minLength: 1, maxLength: 10 }), (claims) => {
        const assignment = assignPartitions(
          claims.map((claim, i) => member(`m${i}`, claim)),
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

  it('gives nothing to a member that did not ask for the topic', () => {
    const assignment = assignPartitions(
      [
        { id: 'x', topics: ['a'], held: [] },
        { id: 'y', topics: ['b'], held: [] },
      ],
      partitionsOf,
    );
    expect(new Set(assignment.get('x')?.map(({ topic }) => topic))).toEqual(new Set(['a']));
    expect(new Set(assignment.get('y')?.map(({ topic }) => topic))).toEqual(new Set(['b']));
  });
});
