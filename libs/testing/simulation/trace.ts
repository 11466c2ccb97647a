import { createHash } from 'node:crypto';

const KEPT = 80;

/** What the scheduler has decided: the last of it to read, all of it as a hash. */
export class Trace {
  readonly #last: string[] = [];
  readonly #hash = createHash('sha256');

  note(step: number, what: string): void {
    const line = `${step} ${what}`;
    this.#hash.update(line);
    this.#last.push(line);
    if (this.#last.length > 2 * KEPT) this.#last.splice(0, KEPT);
  }

  last(): readonly string[] {
    return this.#last.slice(-KEPT);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
