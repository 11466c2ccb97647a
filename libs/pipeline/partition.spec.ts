import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { murmur2, partitionOf } from './partition.js';

const kafkaJs = Partitioners.DefaultPartitioner();
const kafkaJsPartition = (key: string, partitions: number): number =>
  kafkaJs({
    topic: 't',
    partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    })),
    message: { key, value: null },
  });

describe('partitionOf', () => {
  // From org.apache.kafka.common.utils.Utils.murmur2 of Kafka 4.1 (some are Kafka's own test vectors).
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['', 275646681],
    ['brand\0person', 491233304],
    ['品牌\0用户', -25435952],
    ['é', 186971271],
    ['😀ab', 1926617471],
    ['abc', 479470107],
  ])('hashes %j as Java does', (key, hash) => {
    expect(murmur2(key)).toBe(hash);
  });

  it('puts a key where the default partitioner of Kafka clients puts it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme-ascii' }),
          fc.string({ unit: 'binary' }),
          fc
            .tuple(fc.string(), fc.string({ unit: 'grapheme' }))
            .map(([brand, person]) => `${brand}\0${person}`),
        ),
        fc.integer({ min: 1, max: 64 }),
        (key, partitions) => {
          // KafkaJS takes the empty key for no key at all.
          fc.pre(key !== '');
          expect(partitionOf(key, partitions)).toBe(kafkaJsPartition(key, partitions));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('stays in range for hashes of either sign', () => {
    for (let n = 0; n < 1_000; n++) {
      const partition = partitionOf(`brand\0person-${n}`, 8);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(8);
    }
  });
});
