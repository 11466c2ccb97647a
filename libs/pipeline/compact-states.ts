import { decodeState, encodeState, type Relationship } from '#domain';

/**
 * Many states in little memory: those used last are held decoded, the others as the bytes that a store would hold
 * (about an eighth of it).
 */
export class CompactStates {
  readonly #decoded = new Map<string, Relationship>();
  readonly #encoded = new Map<string, Buffer>();

  /** @param decodedMax   states held decoded */
  constructor(private readonly decodedMax: number) {}

  get size(): number {
    return this.#decoded.size + this.#encoded.size;
  }

  get(key: string): Relationship | undefined {
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;
    const bytes = this.#encoded.get(key);
    return bytes === undefined ? undefined : decodeState(bytes);
  }

  set(key: string, state: Relationship): void {
    this.#encoded.delete(key);
    // Taken out first, so that it stands last: what is packed is taken from the front.
    this.#decoded.delete(key);
    this.#decoded.set(key, state);
    if (this.#decoded.size > this.decodedMax) this.#packOldest();
  }

  delete(key: string): void {
    this.#decoded.delete(key);
    this.#encoded.delete(key);
  }

  *values(): Generator<Relationship> {
    for (const bytes of this.#encoded.values()) yield decodeState(bytes);
    yield* this.#decoded.values();
  }

  #packOldest(): void {
    for (const [key, state] of this.#decoded) {
      this.#decoded.delete(key);
      this.#encoded.set(key, encodeState(state));
      return;
    }
  }
}
