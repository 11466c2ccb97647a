import { describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry } from '#domain';
import { epochRaised, rulesSet, tick, visit } from '#testing';
import { mergePartitions, type MergeEntry } from './merge-partitions.js';

const RULES = rulesSet(defaultRules());
const OTHER = rulesSet(defaultRules({ duesPerTick: 7 }));
const NIL = Buffer.alloc(0);

const at = (minute: number): number => minute * 60_000;
const seen = (minute: number): LogEntry => visit(at(minute), { person: `at ${minute}` });

function batchesOf(entries: readonly LogEntry[], onEnd: () => void = () => undefined) {
  return (async function* (): AsyncGenerator<readonly MergeEntry[]> {
    try {
      for (const entry of entries) yield await Promise.resolve([{ entry, value: NIL }]);
    } finally {
      onEnd();
    }
  })();
}

/** Each thing that is yielded in a word. */
async function merged(...partitions: readonly (readonly LogEntry[])[]): Promise<readonly string[]> {
  const words: string[] = [];
  for await (const one of mergePartitions(partitions.map((entries) => batchesOf(entries)))) {
    if (one.type === 'person') words.push(one.key.split('\0')[1] ?? '');
    else if (one.entry.type === 'tick') words.push(`tick ${one.entry.at / 60_000}`);
    else words.push(one.entry === OTHER ? 'other rules' : 'rules');
  }
  return words;
}

describe('merging partitions', () => {
  it('keeps each record behind the tick it stood behind', async () => {
    const left = [epochRaised(), RULES, seen(1), tick(at(10)), seen(11), tick(at(30)), seen(31)];
    const right = [epochRaised(), RULES, seen(2), tick(at(5)), seen(6), tick(at(20)), seen(3), tick(at(40))];
    expect(await merged(left, right)).toEqual([
      ...['rules', 'at 1', 'at 2', 'tick 5', 'at 6', 'tick 10', 'at 11', 'tick 20', 'at 3', 'tick 30'],
      // The left one is at its end: what the right one knows of time holds for it, too.
      ...['at 31', 'tick 40'],
    ]);
  });

  it('passes repeated ticks on, at the time that all have reached', async () => {
    const left = [tick(at(10)), tick(at(10)), seen(11), tick(at(10)), tick(at(20))];
    const right = [tick(at(10)), tick(at(4)), tick(at(20)), tick(at(20))];
    expect(await merged(left, right)).toEqual([
      ...['tick 10', 'tick 10', 'at 11', 'tick 10', 'tick 10', 'tick 20', 'tick 20'],
    ]);
  });

  it('says rules once, where they come first, and those that a partition has missed', async () => {
    const left = [RULES, seen(1), OTHER, seen(2), RULES];
    const right = [RULES, seen(3), RULES, seen(4)];
    expect(await merged(left, right)).toEqual([
      ...['rules', 'at 1', 'other rules', 'at 2', 'rules', 'at 3', 'at 4'],
    ]);
  });

  it('waits for no partition without ticks or without anything', async () => {
    expect(await merged([seen(1)], [], [tick(at(10)), seen(11)])).toEqual(['at 1', 'tick 10', 'at 11']);
    expect(await merged([], [])).toEqual([]);
  });

  it('closes what it reads when nobody wants the rest', async () => {
    let ended = 0;
    const entries = [seen(1), tick(at(10)), seen(11)];
    const partitions = [entries, entries, entries].map((all) => batchesOf(all, () => (ended += 1)));
    let taken = 0;
    for await (const _ of mergePartitions(partitions)) if ((taken += 1) === 3) break;
    expect(ended).toBe(3);
  });
});
