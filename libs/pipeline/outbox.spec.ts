import { describe, expect, it } from '@jest/globals';
import { RecordingFigureSink } from '#testing';
import { contractHeartbeat, contractPerson, contractWindow } from '../testing/figure-sink-contract.js';
import { Outbox } from './outbox.js';
import { decodeRow, encodeRow, rowKey } from './row-codec.js';
import type { FigureRow, FigureSink } from './rows.js';

const now = () => 0;
const persons = (count: number) =>
  Array.from({ length: count }, (_, i) => contractPerson({ person: `p${i}`, version: BigInt(i) }));

/** A sink that notes each insert and waits or fails as it is told. */
class StubbornSink implements FigureSink {
  readonly inserts: (readonly FigureRow[])[] = [];
  gate: Promise<void> = Promise.resolve();
  async write(rows: readonly FigureRow[]): Promise<void> {
    this.inserts.push(rows);
    await this.gate;
  }
}

function stored(outbox: Outbox): Map<string, Buffer> {
  const store = new Map<string, Buffer>();
  for (const { key, value } of outbox.toStore()) {
    if (value === null) store.delete(key);
    else store.set(key, value);
  }
  outbox.storedNow();
  return store;
}

describe('an outbox', () => {
  it('holds one row a key, the newest, and sends the oldest keys first', async () => {
    const outbox = new Outbox();
    for (const row of persons(5)) outbox.put(row);
    outbox.put(contractPerson({ person: 'p0', tier: 4, version: 9n }));
    expect(outbox.size).toBe(5);
    const sink = new StubbornSink();
    await expect(outbox.pump(sink, 2, now)).resolves.toMatchObject({ rows: 2, error: null });
    expect(sink.inserts[0]).toMatchObject([{ person: 'p0', tier: 4 }, { person: 'p1' }]);
    expect(outbox.size).toBe(3);
  });

  it('keeps rows that the sink refused, and says why', async () => {
    const outbox = new Outbox();
    for (const row of persons(3)) outbox.put(row);
    const away: FigureSink = { write: () => Promise.reject(new Error('away')) };
    const report = await outbox.pump(away, 10, now);
    expect(report).toMatchObject({ rows: 0 });
    expect(report.error?.message).toBe('away');
    expect(outbox.size).toBe(3);
    const sink = new RecordingFigureSink();
    await outbox.pump(sink, 10, now);
    expect(sink.rows('persons')).toHaveLength(3);
    expect(outbox.size).toBe(0);
  });

  it('keeps a row that was replaced while the older one was on its way', async () => {
    const outbox = new Outbox();
    outbox.put(contractPerson({ tier: 1 }));
    const sink = new StubbornSink();
    let letGo = (): void => undefined;
    sink.gate = new Promise((resolve) => (letGo = resolve));
    const pumping = outbox.pump(sink, 10, now);
    outbox.put(contractPerson({ tier: 3, version: 7n }));
    // One at a time.
    await expect(outbox.pump(sink, 10, now)).resolves.toMatchObject({ rows: 0, error: null });
    letGo();
    await pumping;
    expect(outbox.size).toBe(1);
    await outbox.pump(sink, 10, now);
    expect(sink.inserts.map((rows) => rows.map((row) => 'tier' in row && row.tier))).toEqual([[1], [3]]);
    expect(outbox.size).toBe(0);
  });

  it('never sends a heartbeat before the rows that it speaks of', async () => {
    const outbox = new Outbox();
    outbox.put(contractWindow({ end: 1 }));
    outbox.put(contractHeartbeat({ end: 1 }));
    for (const row of persons(3)) outbox.put(row);
    outbox.put(contractWindow({ end: 2 }));
    outbox.put(contractHeartbeat({ end: 2, version: 2n }));
    const sink = new StubbornSink();
    while (outbox.size > 0) await outbox.pump(sink, 2, now);
    const order = sink.inserts.flat();
    expect(order.at(-1)).toMatchObject({ table: 'window_heartbeats', end: 2 });
    expect(order.filter(({ table }) => table === 'window_heartbeats')).toHaveLength(1);
  });

  it('never does so after a restart either, though a store has its own order', async () => {
    const before = new Outbox();
    for (let end = 1; end <= 5; end += 1) before.put(contractWindow({ end }));
    before.put(contractHeartbeat({ end: 5 }));
    const entries = [...stored(before)].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(decodeRow(entries[0]?.[1] ?? Buffer.alloc(0)).table).toBe('window_heartbeats');
    const after = new Outbox();
    after.restore(entries);
    const sink = new StubbornSink();
    await after.pump(sink, 100, now);
    expect(sink.inserts[0]?.at(-1)).toMatchObject({ table: 'window_heartbeats' });
    expect(sink.inserts[0]).toHaveLength(6);
  });

  it('tells the store what has changed since the last checkpoint, and no more', async () => {
    const outbox = new Outbox();
    for (const row of persons(4)) outbox.put(row);
    expect([...stored(outbox).keys()]).toHaveLength(4);
    expect([...outbox.toStore()]).toEqual([]);
    await outbox.pump(new RecordingFigureSink(), 2, now);
    outbox.put(contractPerson({ person: 'p3', tier: 4 }));
    outbox.put(contractPerson({ person: 'p9' }));
    const changes = new Map([...outbox.toStore()].map(({ key, value }) => [key, value]));
    const keyOf = (person: string) => rowKey(contractPerson({ person }));
    expect(changes.get(keyOf('p0'))).toBeNull();
    expect(changes.get(keyOf('p1'))).toBeNull();
    expect(changes.has(keyOf('p2'))).toBe(false);
    expect(changes.get(keyOf('p3'))?.toString()).toContain('"tier":4');
    expect(changes.get(keyOf('p9'))).toBeInstanceOf(Buffer);
    outbox.storedNow();
    // Sent, then changed again before the next checkpoint: it stays in the store.
    await outbox.pump(new RecordingFigureSink(), 100, now);
    outbox.put(contractPerson({ person: 'p2', tier: 2 }));
    const later = new Map([...outbox.toStore()].map(({ key, value }) => [key, value]));
    expect(later.get(keyOf('p2'))).toBeInstanceOf(Buffer);
    expect([...later.values()].filter((value) => value === null)).toHaveLength(2);
  });

  it('knows rows of different tables, brands, channels, windows and persons apart', () => {
    const rows: FigureRow[] = [
      contractWindow(),
      contractWindow({ brand: 'b2' }),
      contractWindow({ channel: 'shop' }),
      contractWindow({ window: '1h' }),
      contractWindow({ generation: 2 }),
      contractHeartbeat(),
      contractHeartbeat({ window: '1h' }),
      contractPerson(),
      contractPerson({ brand: 'b1s', scheme_id: '' }),
      contractPerson({ person: 'p1\\' }),
    ];
    expect(new Set(rows.map(rowKey)).size).toBe(rows.length);
    for (const row of rows) expect(decodeRow(encodeRow(row))).toEqual(row);
  });
});
