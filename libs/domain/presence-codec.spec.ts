import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { readPresence, readRecent, writePresence, writeRecent } from './presence-codec.js';
import { idHashOf, RecentRecords, type RecentPresence } from './recent-presence.js';
import { NO_PRESENCE, withMoment, type PersonPresence } from './windows/presence.js';

const CHANNELS = ['shop', 'live', '__proto__', 'Ärzte|1'];
/** What thinned presence has left out: its records are still known. */
const GONE = 'group';

const moments = fc.array(
  fc.record({
    channel: fc.constantFrom(...CHANNELS),
    grain: fc.oneof(fc.nat(60), fc.integer({ min: 170_000_000, max: 178_000_000 })),
    active: fc.boolean(),
  }),
  { maxLength: 40 },
);
const records = fc
  .array(
    fc.record({
      eventId: fc.oneof(fc.uuid(), fc.string()),
      at: fc.oneof(fc.nat(9), fc.integer({ min: 631_152_000_000, max: 1_800_000_000_000 })),
      contentHash: fc.maxSafeNat().map((hash) => hash % 2 ** 52),
      channel: fc.constantFrom(...CHANNELS, GONE),
      active: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  .map((all): RecentPresence[] => all.sort((a, b) => a.at - b.at));

function presenceAt(all: readonly { channel: string; grain: number; active: boolean }[]): PersonPresence {
  return all.reduce(
    (seen, { channel, grain, active }) => withMoment(seen, channel, grain, active),
    NO_PRESENCE,
  );
}

function idHash({ eventId }: RecentPresence): number {
  return idHashOf(eventId);
}

function stored(presence: PersonPresence, recent: RecentRecords): Buffer {
  const out = new ByteWriter();
  out.start(0);
  writePresence(out, presence);
  writeRecent(out, recent, presence);
  return out.end();
}

describe('stored presence', () => {
  it('comes back moment by moment, and record by record', () => {
    fc.assert(
      fc.property(moments, records, (all, known) => {
        const presence = presenceAt(all);
        const from = new ByteReader(stored(presence, RecentRecords.of(known)), 0);
        const back = readPresence(from);
        expect(back.channels).toEqual(presence.channels);
        expect(back.moments).toEqual(presence.moments.slice(0, presence.length));
        expect(back.length).toBe(presence.length);
        const recent = readRecent(from, back);
        expect([...recent]).toEqual(known);
        expect(from.isAtEnd).toBe(true);
      }),
    );
  });

  it('takes two to three bytes for another moment of the same hour', () => {
    const one = presenceAt([{ channel: 'live', grain: 170_000_000, active: false }]);
    const two = withMoment(one, 'live', 170_000_300, true);
    const more = stored(two, RecentRecords.NONE).length - stored(one, RecentRecords.NONE).length;
    expect(more).toBeGreaterThan(1);
    expect(more).toBeLessThan(4);
  });

  it.each<[string, readonly string[], readonly number[]]>([
    ['a moment in no channel', [], [1, 5]],
    ['a moment before all time', ['live'], [1, -3]],
    ['a record in a channel that is not there', ['live'], [0, 1, 2]],
  ])('is refused with %s', (_, channels, numbers) => {
    const out = new ByteWriter();
    out.start(0);
    out.list(channels, (channel) => {
      out.text(channel);
    });
    for (const number of numbers) out.number(number);
    const from = new ByteReader(out.end(), 0);
    expect(() => readRecent(from, readPresence(from))).toThrow(RangeError);
  });
});

describe('recent records', () => {
  it('are found by their ids, whatever was added, left out or branched off', () => {
    fc.assert(
      fc.property(records, fc.array(fc.nat()), (known, branches) => {
        const versions = [RecentRecords.NONE];
        for (const [nth, record] of known.entries()) {
          const base =
            versions[(branches[nth] ?? versions.length - 1) % versions.length] ?? RecentRecords.NONE;
          versions.push(base.with(record, idHash(record), -Infinity));
        }
        for (const version of versions) {
          const held = [...version];
          expect(version.size).toBe(held.length);
          const ids = new Set(held.map(({ eventId }) => eventId));
          for (const record of known) {
            const found = version.find(record.eventId, idHash(record));
            expect(found === undefined).toBe(!ids.has(record.eventId));
            if (found !== undefined) expect(held).toContainEqual(found);
          }
          const from = held[Math.floor(held.length / 2)]?.at ?? 0;
          const young = version.since(from);
          expect([...young]).toEqual(held.filter(({ at }) => at >= from));
          for (const record of young) expect(young.find(record.eventId, idHash(record))).toBeDefined();
        }
      }),
    );
  });
});
