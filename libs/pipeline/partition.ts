/**
 * The partition of a key: Kafka's default partitioner (murmur2, seed 0x9747b28c) on the key's UTF-8 bytes,
 * so that producers with their own client put a person where we would.
 */
const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;

export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Signed 32-bit murmur2 of the key's UTF-8 bytes. */
export function murmur2(key: string): number {
  const length = key.length;
  let hash = SEED ^ length;
  // Any character beyond ASCII sets a bit above 6 and sends the key down the slow path.
  let seen = 0;
  const wordsEnd = length & ~3;
  for (let at = 0; at < wordsEnd; at += 4) {
    const a = key.charCodeAt(at);
    const b = key.charCodeAt(at + 1);
    const c = key.charCodeAt(at + 2);
    const d = key.charCodeAt(at + 3);
    seen |= a | b | c | d;
    hash = mixWord(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let at = length - 1; at >= wordsEnd; at--) {
    const code = key.charCodeAt(at);
    seen |= code;
    tail = (tail << 8) | code;
  }
  if (seen > 0x7f) return murmur2OfBytes(Buffer.from(key, 'utf8'));
  return finish(hash, tail, length !== wordsEnd);
}

function murmur2OfBytes(bytes: Buffer): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const wordsEnd = length & ~3;
  for (let at = 0; at < wordsEnd; at += 4) hash = mixWord(hash, bytes.readInt32LE(at));
  const tail = length === wordsEnd ? 0 : bytes.readUIntLE(wordsEnd, length - wordsEnd);
  return finish(hash, tail, length !== wordsEnd);
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(word, M);
  mixed ^= mixed >>> 24;
  return Math.imul(hash, M) ^ Math.imul(mixed, M);
}

function finish(hash: number, tail: number, hasTail: boolean): number {
  let mixed = hasTail ? Math.imul(hash ^ tail, M) : hash;
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, M);
  return mixed ^ (mixed >>> 15);
}
