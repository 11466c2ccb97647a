/** Random numbers that a seed decides: the same night on every machine. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** In [0, 1). Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Waiting time of a process with this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** Skewed towards small values, with a long tail; median as given. */
  skewed(median: number): number {
    const sum = this.next() + this.next() + this.next() + this.next() - 2;
    return median * Math.exp(sum * 1.2);
  }

  /** One of the entries, as likely as its weight. */
  weighted<T>(entries: readonly (readonly [entry: T, weight: number])[]): T {
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.next() * total;
    for (const [entry, weight] of entries) {
      left -= weight;
      if (left < 0) return entry;
    }
    const last = entries.at(-1);
    if (last === undefined) throw new Error('nothing to choose from');
    return last[0];
  }
}
