/**
 * A 52-bit hash over what a source event says: two lanes of 32-bit multiply-xor over UTF-16 units. It decides
 * between two records of one id that differ, so it must be the same everywhere and for ever: its values are
 * held by a golden test. Left out: the event id (it is what the two have in common), the send time, the
 * arrival, the position and the origin (a second delivery is the same event).
 */
import type { SourceTouchpoint } from './source-events.js';

const MULTIPLIER_LOW = 0x9e3779b1;
const MULTIPLIER_HIGH = 0x5f356495;

let low = 0;
let high = 0;

export function contentHash(event: SourceTouchpoint, channel: string, person: string): number {
  low = 0x9e3779b9 | 0;
  high = 0x85ebca6b | 0;
  text(event.type);
  text(event.brand);
  text(person);
  text(channel);
  integer(event.occurredAt);
  text(event.actor);
  text(event.campaign);
  text(event.entrySource);
  flag(event.publicDomain);
  flag(event.paid);
  text(event.mechanism);
  text(event.guide);
  text(event.shareId);
  text(event.itemId);
  text(event.roomId);
  text(event.groupId);
  text(event.contentId);
  body(event);
  return finish();
}

function body(event: SourceTouchpoint): void {
  switch (event.type) {
    case 'relation':
      text(event.link);
      flag(event.on);
      text(event.groupKind);
      text(event.inviter);
      // Links have none of these, and keep their hashes.
      if (event.role !== null) text(event.role);
      if (event.assignee !== null) text(event.assignee);
      if (event.linkedPerson !== null) text(event.linkedPerson);
      return;
    case 'visit':
      text(event.surface);
      integer(event.dwellMs);
      return;
    case 'engagement':
      text(event.action);
      text(event.couponId);
      return;
    case 'order':
      text(event.kind);
      text(event.orderId);
      text(event.lineId);
      text(event.refundId);
      integer(event.amountMinor);
      text(event.currency);
      integer(event.quantity);
      flag(event.full);
      text(event.reviewId);
      integer(event.stars);
      flag(event.positive);
      return;
    case 'share':
      text(event.kind);
      text(event.sharer);
      text(event.parentShareId);
      text(event.contentKind);
      text(event.fissionForm);
      return;
  }
}

/** No text and an empty one are the same: both mean that the producer said nothing. */
function text(value: string | null): void {
  const length = value === null ? 0 : value.length;
  mix(0x10000 + length);
  if (value === null) return;
  // Locals: the loop is where the time goes.
  let a = low;
  let b = high;
  for (let at = 0; at < length; at++) {
    const unit = value.charCodeAt(at);
    a = Math.imul(a ^ unit, MULTIPLIER_LOW);
    b = Math.imul(b ^ unit, MULTIPLIER_HIGH);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  low = a;
  high = b;
}

function integer(value: number | null): void {
  if (value === null) {
    mix(0x20000);
    return;
  }
  mix(Math.floor(value / 0x1_0000_0000));
  mix(value | 0);
}

function flag(value: boolean | null): void {
  mix(value === null ? 0x30002 : value ? 0x30001 : 0x30000);
}

function mix(word: number): void {
  low = Math.imul(low ^ word, MULTIPLIER_LOW);
  high = Math.imul(high ^ word, MULTIPLIER_HIGH);
  // Without a shift the high bits of a word would never reach the low bits of the hash.
  low ^= low >>> 15;
  high ^= high >>> 13;
}

function finish(): number {
  let a = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  let b = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  a ^= a >>> 16;
  b ^= b >>> 16;
  return (b & 0xfffff) * 0x1_0000_0000 + (a >>> 0);
}
