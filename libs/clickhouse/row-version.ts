/**
 * The version of a row is epoch × 2^48 + log offset, and the highest wins. The upper half of an epoch's offsets is
 * left to restatements (docs/adr/0006): a restated row wins over whatever the stream writes in the same epoch, a
 * later restatement over an earlier one, and a row of the next epoch over all of them.
 */

const RESTATED = 2n ** 47n;
const OFFSET_MASK = RESTATED - 1n;

/** Of a row in which all records before this offset are. */
export function versionAt(epoch: number, offset: number): bigint {
  return (BigInt(epoch) << 48n) + BigInt(offset);
}

/** @param asOf   epoch × 2^48 + the log offset up to which every record is counted in the restated row */
export function restatedVersion(asOf: bigint): bigint {
  return asOf | RESTATED;
}

/** What a row was restated as of; null where it is as the stream has written it. */
export function restatedAsOf(version: bigint): bigint | null {
  return (version & RESTATED) === 0n ? null : version & ~RESTATED;
}

/** The log offset within a version: all records before it are in the row. */
export function positionOf(version: bigint): number {
  return Number(version & OFFSET_MASK);
}
