import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ClickHouse, Insert } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

/** Takes inserts and answers when it is told to; everything else of the port is not called here. */
class SlowTable {
  readonly inserts: (readonly number[])[] = [];
  private readonly answers: ((error: Error | null) => void)[] = [];

  readonly clickhouse = {
    insert: ({ rows }: Insert) => {
      this.inserts.push([...rows].map(([value]) => Number(value)));
      return new Promise<void>((resolve, reject) =>
        this.answers.push((error) => (error === null ? resolve() : reject(error))),
      );
    },
  } as unknown as ClickHouse;

  async answer(error: Error | null = null): Promise<void> {
    while (this.answers.length === 0) await turn();
    this.answers.shift()?.(error);
    await turn();
  }

  writer(insertRowsMax?: number): TableWriter<number> {
    return new TableWriter(this.clickhouse, 'gravity.spec', ['value'], (row) => [row], insertRowsMax);
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What has become of a write by now. */
function outcomeOf(write: Promise<void>): { now: string } {
  const outcome = { now: 'waits' };
  write.then(
    () => (outcome.now = 'stored'),
    (error: unknown) => (outcome.now = String(error)),
  );
  return outcome;
}

describe('TableWriter', () => {
  it('makes one insert of what is written in one turn, and of what is written while one is under way', async () => {
    const table = new SlowTable();
    const writer = table.writer();
    const writes = [writer.write([1, 2]), writer.write([]), writer.write([3])].map(outcomeOf);
    await turn();
    await turn();
    writes.push(outcomeOf(writer.write([4])), outcomeOf(writer.write([5])));
    expect(table.inserts).toEqual([[1, 2, 3]]);
    await table.answer();
    expect(writes.map(({ now }) => now)).toEqual(['stored', 'stored', 'stored', 'waits', 'waits']);
    await table.answer();
    expect(table.inserts).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(writes.map(({ now }) => now)).toEqual(Array.from({ length: 5 }, () => 'stored'));
  });

  it('tells all that had rows in an insert that it has failed, and nobody else', async () => {
    const table = new SlowTable();
    const writer = table.writer(3);
    const writes = [[1, 2], [3, 4], [5]].map((rows) => outcomeOf(writer.write(rows)));
    await table.answer(new Error('no disk'));
    expect(writes.map(({ now }) => now)).toEqual(['Error: no disk', 'Error: no disk', 'waits']);
    await table.answer();
    expect(writes.map(({ now }) => now)).toEqual(['Error: no disk', 'Error: no disk', 'stored']);
    expect(table.inserts).toEqual([[1, 2, 3], [5]]);
  });

  it('writes apart for a while after that, so that what cannot be stored keeps nobody from being stored', async () => {
    const table = new SlowTable();
    const writer = table.writer();
    const together = [[1], [2], [3]].map((rows) => outcomeOf(writer.write(rows)));
    await table.answer(new Error('bad row'));
    expect(together.map(({ now }) => now)).toEqual(Array.from({ length: 3 }, () => 'Error: bad row'));
    const again = [[1], [2], [3]].map((rows) => outcomeOf(writer.write(rows)));
    for (const error of [null, new Error('bad row'), null]) await table.answer(error);
    expect(again.map(({ now }) => now)).toEqual(['stored', 'Error: bad row', 'stored']);
    expect(table.inserts).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('stores the others where the rows of one throw', async () => {
    const table = new SlowTable();
    const writer = table.writer();
    function* broken(): Generator<number> {
      yield 2;
      throw new Error('no such row');
    }
    const writes = [[1], broken(), [3]].map((rows) => outcomeOf(writer.write(rows)));
    await table.answer();
    expect(writes.map(({ now }) => now)).toEqual(['stored', 'Error: no such row', 'stored']);
    expect(table.inserts[0]).toEqual([1, 2, 3]);
  });

  it('stores every row of every write once and in order, in as few inserts as hold them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 7 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (lengths, insertRowsMax) => {
          const table = new SlowTable();
          const writer = table.writer(insertRowsMax);
          let next = 0;
          const outcomes = lengths.map((length) =>
            outcomeOf(writer.write(Array.from({ length }, () => next++))),
          );
          while (outcomes.some(({ now }) => now === 'waits')) await table.answer();
          const inserts = table.inserts.filter((rows) => rows.length > 0);
          expect(inserts.flat()).toEqual(Array.from({ length: next }, (_, i) => i));
          expect(inserts).toHaveLength(Math.ceil(next / insertRowsMax));
        },
      ),
    );
  });
});
