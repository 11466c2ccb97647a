import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openEmbeddedClickHouse, TempDir, type EmbeddedClickHouse } from '#testing';
import { embeddedLanes } from './embedded-lanes.js';

describe('an engine beside another one of the process', () => {
  const directory = new TempDir('embedded-lanes');
  let other: EmbeddedClickHouse;

  beforeEach(async () => {
    other = await openEmbeddedClickHouse({ migrated: false });
  });
  afterEach(async () => {
    await other.close();
    directory.remove();
  });

  it('is refused, and the other one goes on', async () => {
    expect(() => embeddedLanes({ path: directory.path })).toThrow(
      expect.objectContaining({
        code: '76',
        message: expect.stringContaining('another one open') as unknown,
      }),
    );
    await other.clickhouse.ping();
  });
});
