import { afterEach, describe, expect, it } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { EmbeddedLog } from './index.js';

describe('EmbeddedLog', () => {
  const dir = new TempDir('log');
  afterEach(() => dir.remove());
  it('keeps what was written when it is opened again', async () => {
    const log = EmbeddedLog.open({ path: dir.join('log') });
    await log.applyTopics(
      [{ topic: 'a', partitions: 2, compacted: false, retentionMs: -1, maxMessageBytes: 1e6 }],
      false,
    );
    await log.append([{ topic: 'a', partition: 1, key: 'k', value: Buffer.from('v') }]);
    const w = await log.writer('g', { topic: 'a', partition: 0 });
    await w.commit({
      records: [{ topic: 'a', partition: 1, key: null, value: null }],
      positions: [{ topic: 'a', partition: 0, offset: 5 }],
    });
    await log.close();
    const again = EmbeddedLog.open({ path: dir.join('log') });
    const seen = [];
    for await (const batch of again.read({ topic: 'a', partition: 1 }, 0))
      for (const r of batch.records) seen.push([r.offset, r.key?.toString(), r.value?.toString()]);
    expect(seen).toEqual([
      [0, 'k', 'v'],
      [1, undefined, undefined],
    ]);
    expect(await again.committed('g', { topic: 'a', partition: 0 })).toBe(5);
    await again.close();
  });
});
