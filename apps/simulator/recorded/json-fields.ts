/** Typed reading of the fields of one JSON object; remembers the first field that was not what it should be. */

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export class JsonFields {
  /** For a person to read; null while all is well. */
  fault: string | null = null;

  constructor(private readonly record: ReadonlyMap<string, unknown>) {}

  text(name: string): string {
    return this.textOrNull(name) ?? this.miss(name, 'a string', '');
  }

  textOrNull(name: string): string | null {
    const value = this.record.get(name) ?? null;
    return value === null || typeof value === 'string' ? value : this.miss(name, 'a string', null);
  }

  integerOrNull(name: string): number | null {
    const value = this.record.get(name) ?? null;
    if (value === null || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
    return this.miss(name, 'an integer', null);
  }

  requiredFlag(name: string): boolean {
    return this.flagOrNull(name) ?? this.miss(name, 'true or false', false);
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.flagOrNull(name) ?? otherwise;
  }

  flagOrNull(name: string): boolean | null {
    const value = this.record.get(name) ?? null;
    return value === null || typeof value === 'boolean' ? value : this.miss(name, 'true or false', null);
  }

  /** Milliseconds since the epoch, or an ISO instant with its zone. */
  instant(name: string): number {
    const value = this.record.get(name);
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    const parsed = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(parsed) ? this.miss(name, 'milliseconds or an ISO instant with a zone', 0) : parsed;
  }

  /** What is not among the symbols becomes `otherwise`, as Avro's enum default does. */
  symbol<T extends string, D extends string>(name: string, symbols: readonly T[], otherwise: D): T | D {
    const value = this.text(name);
    return symbols.find((symbol) => symbol === value) ?? otherwise;
  }

  symbolOrNull<T extends string, D extends string>(
    name: string,
    symbols: readonly T[],
    otherwise: D,
  ): T | D | null {
    return this.textOrNull(name) === null ? null : this.symbol(name, symbols, otherwise);
  }

  private miss<T>(name: string, expected: string, value: T): T {
    this.fault ??= this.record.has(name) ? `${name} is not ${expected}` : `${name} is missing`;
    return value;
  }
}
