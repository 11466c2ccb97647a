/** What makes two replays, or two imports, the same one: the files' names and contents, and every option that decides their meaning. */
import { createHash } from 'node:crypto';
import type { ReadingOptions, SequencingOptions } from './replay-options.js';

/**
 * The consumer group under which the position of a replay or an import is committed, so that the same command goes on
 * where it was stopped, and a second one of the same files writes nothing.
 *
 * @param pseudonymKeyHash   hash of the key that persons are pseudonymised with; null where ids stay as they are
 */
export function recordedGroup(
  verb: 'replay' | 'import',
  contentHash: string,
  reading: ReadingOptions,
  sequencing: SequencingOptions,
  pseudonymKeyHash: string | null,
): string {
  const { brand, members, currency } = sequencing;
  const { columns, header, delimiter, timeFormat, timeZone, purchaseKinds, refundKinds, zeroOrders } =
    reading;
  const { person, time, amount, quantity, price, order, kind } = columns;
  // Named one by one: the hash must not depend on the order in which an object was put together.
  const identity = [
    contentHash,
    [person, time, amount, quantity, price, order, kind],
    [header, delimiter, timeFormat, timeZone, purchaseKinds, refundKinds, zeroOrders],
    [brand, members, currency],
    pseudonymKeyHash,
  ];
  return `${verb}:${createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)}`;
}
