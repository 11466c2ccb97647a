/** Days added when a table grows, so that appending days is cheap. */
const SPARE_DAYS = 32;

/** Numbers by local day. All days between the first and the last one used are held, at 8 bytes a number. */
export class DayTable {
  private cells = new Float64Array(0);
  private base = 0;
  private days = 0;

  constructor(readonly columns: number) {}

  get isEmpty(): boolean {
    return this.days === 0;
  }

  /** First day ever added to. */
  get firstDay(): number {
    return this.base;
  }

  /** Day after the last one ever added to. */
  get endDay(): number {
    return this.base + this.days;
  }

  add(day: number, column: number, value: number): void {
    if (day < this.base || day >= this.base + this.days) this.include(day);
    const cell = (day - this.base) * this.columns + column;
    this.cells[cell] = (this.cells[cell] ?? 0) + value;
  }

  at(day: number, column: number): number {
    if (day < this.base || day >= this.base + this.days) return 0;
    return this.cells[(day - this.base) * this.columns + column] ?? 0;
  }

  toJson(): DayTableJson {
    return [this.base, Array.from(this.cells.subarray(0, this.days * this.columns))];
  }

  static fromJson(columns: number, [base, cells]: DayTableJson): DayTable {
    const table = new DayTable(columns);
    table.base = base;
    table.days = cells.length / columns;
    table.cells = Float64Array.from(cells);
    return table;
  }

  private include(day: number): void {
    const first = this.days === 0 ? day : Math.min(this.base, day);
    const end = this.days === 0 ? day + 1 : Math.max(this.base + this.days, day + 1);
    const needed = (end - first) * this.columns;
    if (first !== this.base || needed > this.cells.length) {
      const cells = new Float64Array(needed + SPARE_DAYS * this.columns);
      const held = this.cells.subarray(0, this.days * this.columns);
      if (this.days > 0) cells.set(held, (this.base - first) * this.columns);
      this.cells = cells;
    }
    this.base = first;
    this.days = end - first;
  }
}

/** First day, then the cells row by row. */
export type DayTableJson = readonly [base: number, cells: readonly number[]];

/** A `DayTable` of differences, read as their sums up to a day. */
export class RunningTable {
  private readonly differences: DayTable;
  private sums = new Float64Array(0);
  /** Sums are right for days before this one. */
  private cleanTo = Infinity;

  constructor(columns: number, differences: DayTable = new DayTable(columns)) {
    this.differences = differences;
    this.cleanTo = differences.firstDay;
  }

  get isEmpty(): boolean {
    return this.differences.isEmpty;
  }

  get firstDay(): number {
    return this.differences.firstDay;
  }

  add(day: number, column: number, value: number): void {
    const first = this.differences.firstDay;
    this.differences.add(day, column, value);
    // Rows have moved when the table has grown to the front.
    this.cleanTo =
      this.differences.firstDay === first ? Math.min(this.cleanTo, day) : this.differences.firstDay;
  }

  /** The sum of the differences up to and including `day`: what holds at its close. */
  at(day: number, column: number): number {
    const { differences } = this;
    if (differences.isEmpty || day < differences.firstDay) return 0;
    const last = Math.min(day, differences.endDay - 1);
    if (last >= this.cleanTo) this.sumUpTo(last);
    return this.sums[(last - differences.firstDay) * differences.columns + column] ?? 0;
  }

  toJson(): DayTableJson {
    return this.differences.toJson();
  }

  private sumUpTo(last: number): void {
    const { differences } = this;
    const { columns, firstDay } = differences;
    const needed = (last - firstDay + 1) * columns;
    if (needed > this.sums.length) {
      const sums = new Float64Array(needed + SPARE_DAYS * columns);
      sums.set(this.sums);
      this.sums = sums;
    }
    for (let day = Math.max(this.cleanTo, firstDay); day <= last; day++) {
      const row = (day - firstDay) * columns;
      for (let column = 0; column < columns; column++) {
        const before = day === firstDay ? 0 : (this.sums[row - columns + column] ?? 0);
        this.sums[row + column] = before + differences.at(day, column);
      }
    }
    this.cleanTo = last + 1;
  }
}
