/**
 * Local stamps to instants by the tz database.
 *
 * A local time that a clock skipped (the hour lost in spring) is read with the offset before the change, so it
 * lands as much after the gap as it was into it; one that a clock showed twice is its first occurrence. Both as
 * `java.time` and `Temporal` ("compatible") do.
 */

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;
/** Changes are kept for these years; a stamp beyond them is measured by itself. */
const KEPT_FROM = Date.UTC(1850, 0, 1);
const KEPT_TO = Date.UTC(2150, 0, 1);

interface Segment {
  /** From this instant (ms) on … */
  readonly from: number;
  /** … local time is UTC plus this, ms. */
  readonly offset: number;
}

export class UnknownZoneError extends Error {
  override readonly name = 'UnknownZoneError';
  constructor(zone: string) {
    super(`unknown time zone "${zone}": expected a tz database name such as Asia/Shanghai or UTC`);
  }
}

export class ZoneClock {
  private readonly format: Intl.DateTimeFormat;
  /** Sorted and without gaps between `knownFrom` and `knownTo`; grown a year at a time as stamps ask for it. */
  private segments: Segment[] = [];
  private knownFrom = 0;
  private knownTo = 0;
  /** The segment used last, with a margin in which no change is near. */
  private quiet = { from: Infinity, to: -Infinity, offset: 0 };

  /** @throws UnknownZoneError */
  constructor(readonly zone: string) {
    try {
      this.format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new UnknownZoneError(zone);
    }
  }

  /** `local`: the wall clock's reading as if it were UTC, ms. */
  instantOf(local: number): number {
    const quick = local - this.quiet.offset;
    if (quick >= this.quiet.from && quick < this.quiet.to) return quick;
    const before = this.offsetAt(local - DAY_MS);
    const after = this.offsetAt(local + DAY_MS);
    if (before === after) {
      if (local > KEPT_FROM + YEAR_MS && local < KEPT_TO - YEAR_MS) this.rememberQuiet(local - before);
      return local - before;
    }
    const early = local - Math.max(before, after);
    if (this.offsetAt(early) === local - early) return early;
    const late = local - Math.min(before, after);
    if (this.offsetAt(late) === local - late) return late;
    return local - before;
  }

  /** What the wall clock reads at `instant`, as if it were UTC, ms. */
  localOf(instant: number): number {
    return instant + this.offsetAt(instant);
  }

  private offsetAt(instant: number): number {
    if (instant < KEPT_FROM || instant >= KEPT_TO) return this.measure(instant);
    const at = this.segmentAt(instant);
    return this.segments[at]?.offset ?? 0;
  }

  private segmentAt(instant: number): number {
    this.know(instant);
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle]?.from ?? 0) <= instant) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private rememberQuiet(instant: number): void {
    const at = this.segmentAt(instant);
    const segment = this.segments[at];
    if (segment === undefined) return;
    const to = this.segments[at + 1]?.from ?? this.knownTo;
    this.quiet = { from: segment.from + 2 * DAY_MS, to: to - 2 * DAY_MS, offset: segment.offset };
  }

  private know(instant: number): void {
    if (this.segments.length === 0) {
      this.knownFrom = Math.floor(instant / DAY_MS) * DAY_MS;
      this.knownTo = this.knownFrom;
      this.segments = [{ from: this.knownFrom, offset: this.measure(this.knownFrom) }];
    }
    while (instant >= this.knownTo) {
      const next = this.changes(this.knownTo, this.knownTo + YEAR_MS);
      this.knownTo += YEAR_MS;
      this.segments.push(...next);
    }
    while (instant < this.knownFrom) {
      const from = this.knownFrom - YEAR_MS;
      this.segments = [
        { from, offset: this.measure(from) },
        ...this.changes(from, this.knownFrom),
        ...this.segments.slice(1),
      ];
      this.knownFrom = from;
    }
  }

  /** The changes in (from, to]. No zone changes its offset and back within a day. */
  private changes(from: number, to: number): Segment[] {
    const found: Segment[] = [];
    let offset = this.measure(from);
    for (let at = from; at < to; at += DAY_MS) {
      const next = this.measure(at + DAY_MS);
      if (next === offset) continue;
      let low = at;
      let high = at + DAY_MS;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.measure(middle) === offset) low = middle;
        else high = middle;
      }
      found.push({ from: high, offset: next });
      offset = next;
    }
    return found;
  }

  private measure(instant: number): number {
    const seconds = Math.floor(instant / 1000) * 1000;
    const fields = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    let beforeChrist = false;
    for (const part of this.format.formatToParts(seconds)) {
      if (part.type === 'era') beforeChrist = part.value.startsWith('B');
      else if (part.type in fields) Object.assign(fields, { [part.type]: Number(part.value) });
    }
    const local = new Date(0);
    local.setUTCFullYear(beforeChrist ? 1 - fields.year : fields.year, fields.month - 1, fields.day);
    local.setUTCHours(fields.hour, fields.minute, fields.second);
    return local.getTime() - seconds;
  }
}
