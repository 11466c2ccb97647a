import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RejectBreaker, type RejectBreakerSettings } from './reject-breaker.js';

const at = (partition: number, topic = 't') => ({ topic, partition });
const good = (count: number): boolean[] => Array.from({ length: count }, () => false);
const bad = (count: number): boolean[] => Array.from({ length: count }, () => true);

function breaker(changes: Partial<RejectBreakerSettings> = {}): RejectBreaker {
  const settings = { rejectedPercentMax: 50, recentRecords: 10, retryMs: 1, exemptTopics: new Set<string>() };
  return new RejectBreaker({ ...settings, ...changes }, () => 7);
}

describe('a breaker', () => {
  it('stops a topic when more than the share of its recent records is rejected, and no other topic', () => {
    const one = breaker();
    expect(one.admits(at(0), [...good(5), ...bad(5)])).toBe(true);
    expect(one.admits(at(0, 'other'), good(5))).toBe(true);
    expect(one.admits(at(1), bad(1))).toBe(false);
    expect(one.stopped()).toEqual([{ topic: 't', since: 7, rejected: 1, records: 1 }]);
    expect(one.admits(at(0, 'other'), good(20))).toBe(true);
  });

  it('judges nobody by less than there has to be', () => {
    const one = breaker();
    expect(one.admits(at(0), bad(9))).toBe(true);
    expect(one.admits(at(0), bad(1))).toBe(false);
  });

  it('sees a flood within a batch that is good as a whole', () => {
    expect(breaker().admits(at(0), [...good(100), ...bad(6), ...good(100)])).toBe(false);
  });

  it('forgets what is not recent any more', () => {
    const one = breaker();
    for (let round = 0; round < 5; round += 1) {
      expect(one.admits(at(0), [...bad(5), ...good(15)])).toBe(true);
    }
  });

  it('goes on when what is held has become good, and counts anew then', () => {
    const one = breaker();
    expect(one.admits(at(0), bad(20))).toBe(false);
    expect(one.admits(at(0), bad(20))).toBe(false);
    expect(one.admits(at(0), [...bad(9), ...good(11)])).toBe(true);
    expect(one.stopped()).toEqual([]);
    expect(one.admits(at(0), bad(9))).toBe(true);
    expect(one.admits(at(0), bad(1))).toBe(false);
  });

  it('holds the other partitions of a stopped topic too, and asks all of them', () => {
    const one = breaker();
    expect(one.admits(at(0), bad(20))).toBe(false);
    expect(one.admits(at(1), good(10))).toBe(false);
    expect(one.stopped()).toMatchObject([{ rejected: 20, records: 30 }]);
    expect(one.admits(at(0), [...bad(5), ...good(15)])).toBe(true);
    expect(one.admits(at(1), good(10))).toBe(true);
  });

  it('forgets a topic of which it has no held partition any more', () => {
    const one = breaker();
    one.admits(at(0), bad(20));
    one.admits(at(1), bad(20));
    one.forget(at(0));
    expect(one.stopped()).toHaveLength(1);
    one.forget(at(1));
    expect(one.stopped()).toEqual([]);
    one.forget(at(5, 'unknown'));
  });

  it('can be off, for all or for one topic', () => {
    expect(breaker({ rejectedPercentMax: 0 }).admits(at(0), bad(1_000))).toBe(true);
    expect(breaker({ exemptTopics: new Set(['t']) }).admits(at(0), bad(1_000))).toBe(true);
    expect(breaker({ rejectedPercentMax: 100 }).admits(at(0), bad(1_000))).toBe(true);
  });

  it('is not moved by a batch without records', () => {
    const one = breaker();
    one.admits(at(0), bad(20));
    expect(one.admits(at(1), [])).toBe(true);
    expect(one.stopped()).toMatchObject([{ records: 20 }]);
  });

  it('stops exactly where a recount of the last records says so, however they are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 30 }),
        (outcomes, recentRecords, rejectedPercentMax, size) => {
          const one = breaker({ recentRecords, rejectedPercentMax });
          const stopsAt = outcomes.findIndex((_, end) => {
            if (end + 1 < recentRecords) return false;
            const recent = outcomes.slice(end + 1 - recentRecords, end + 1);
            return recent.filter(Boolean).length * 100 > rejectedPercentMax * recentRecords;
          });
          for (let from = 0; from < outcomes.length; from += size) {
            const isStopped = stopsAt >= from && stopsAt < from + size;
            expect(one.admits(at(0), outcomes.slice(from, from + size))).toBe(!isStopped);
            if (isStopped) return;
          }
        },
      ),
    );
  });
});
