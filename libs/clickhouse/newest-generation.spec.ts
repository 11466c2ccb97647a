import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openEmbeddedClickHouse, type EmbeddedClickHouse } from '#testing';
import { newestGeneration } from './newest-generation.js';

describe('the newest generation', () => {
  let opened: EmbeddedClickHouse;
  beforeAll(async () => {
    opened = await openEmbeddedClickHouse();
  });
  afterAll(() => opened.close());

  it('is the largest in any table, and 0 before there is one', async () => {
    const { clickhouse } = opened;
    expect(await newestGeneration(clickhouse)).toBe(0);
    const heartbeat = `INSERT INTO gravity.window_heartbeats VALUES ('5m', 3, 0, now64(3), 1)`;
    await clickhouse.command({ sql: heartbeat });
    expect(await newestGeneration(clickhouse)).toBe(3);
    await clickhouse.command({ sql: "INSERT INTO gravity.persons (brand, generation) VALUES ('b', 5)" });
    expect(await newestGeneration(clickhouse)).toBe(5);
  });
});
