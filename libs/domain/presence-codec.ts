/** The stored form of where and when a person was: the moments of the windows, and the records that made the latest. */
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import type { Channel } from './events.js';
import { RecentRecords, type RecentPresence } from './recent-presence.js';
import { NO_CHANNELS, tableWith, type ChannelTable } from './windows/channel-table.js';
import { codeOf, MOMENT, presenceOf, type PersonPresence } from './windows/presence.js';

/**
 * The channels, then each moment as one number: the step from the grain before it and its mark. It comes back moment
 * by moment as it was: to sort or to merge anything would be most of the work.
 */
export function writePresence(out: ByteWriter, { channels, moments, length }: PersonPresence): void {
  const marks = 2 * channels.length;
  out.list(channels, (channel) => {
    out.text(channel);
  });
  out.number(length / MOMENT);
  let before = 0;
  for (let at = 0; at < length; at += MOMENT) {
    const grain = moments[at] ?? 0;
    out.number((grain - before) * marks + (moments[at + 1] ?? 0));
    before = grain;
  }
}

/** @throws RangeError for what `writePresence` never writes */
export function readPresence(from: ByteReader): PersonPresence {
  const channels = from.list(() => from.commonText()).reduce(tableWith, NO_CHANNELS);
  const marks = 2 * channels.length;
  let before = 0;
  const steps = from.list(() => from.integer());
  const moments = new Array<number>(steps.length * MOMENT);
  steps.forEach((value, nth) => {
    const mark = value % marks;
    // Without channels it is NaN.
    if (!(mark >= 0))
      throw new RangeError(`${value} where a moment in one of ${channels.length} channels should be`);
    before += (value - mark) / marks;
    moments[nth * MOMENT] = before;
    moments[nth * MOMENT + 1] = mark;
  });
  return presenceOf(channels, moments);
}

/**
 * Records by instant, each with the step from the one before it. Most are in a channel of the presence, which is
 * then written as its code.
 */
export function writeRecent(out: ByteWriter, recent: RecentRecords, { channels }: PersonPresence): void {
  out.number(recent.size);
  let before = 0;
  recent.forEach((eventId, at, contentHash, channel, active) => {
    const code = codeOf(channels, channel);
    out.number(code < 0 ? (active ? OTHER_ACTIVE : OTHER) : 2 * code + (active ? 1 : 0));
    if (code < 0) out.text(channel);
    out.text(eventId);
    out.number(at - before);
    out.number(contentHash);
    before = at;
  });
}

/** Instead of twice its code: the channel follows as a text. */
const OTHER = -2;
const OTHER_ACTIVE = -1;

/** @throws RangeError for what `writeRecent` never writes */
export function readRecent(from: ByteReader, { channels }: PersonPresence): RecentRecords {
  let before = 0;
  return RecentRecords.from(from.count(), (): RecentPresence => {
    const mark = from.integer();
    const channel = mark < 0 ? from.commonText() : channelOf(channels, mark >> 1);
    const eventId = from.text();
    const at = before + from.number();
    before = at;
    return { eventId, at, contentHash: from.number(), channel, active: (mark & 1) === 1 };
  });
}

function channelOf(channels: ChannelTable, code: number): Channel {
  const channel = channels[code];
  if (channel === undefined) throw new RangeError(`a record in channel ${code} of ${channels.length}`);
  return channel;
}
