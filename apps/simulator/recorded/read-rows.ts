/** A recorded file, CSV or NDJSON, to the outcomes of its rows. */
import { parseCanonical } from './canonical-touchpoint.js';
import { rowMapper, type RowMapper } from './column-mapping.js';
import { CsvReader, type CsvItem } from './csv-reader.js';
import { minorDigitsOf } from './currency.js';
import { rowId } from './recorded-row.js';
import type { ReadingOptions, SourceFile } from './replay-options.js';
import type { RowOutcome } from './row-outcome.js';
import { readLineBlocks, UnreadableFileError, type ReadProgress, type TextLine } from './text-lines.js';
import { stampParser, type StampParser } from './time-format.js';
import { ZoneClock } from './zone-clock.js';

interface RowReader {
  push(lines: readonly TextLine[]): RowOutcome[];
  end(): RowOutcome[];
}

export interface ReadContext {
  readonly options: ReadingOptions;
  readonly brand: string;
  readonly onProgress: (progress: ReadProgress) => void;
}

/**
 * Outcomes in blocks, in the order of the file. The file is NDJSON when its first character is `{`.
 * @returns the SHA-256 (hex) of the file's bytes
 * @throws UnreadableFileError | MissingColumnError
 */
export async function* readRows(
  file: SourceFile,
  index: number,
  context: ReadContext,
): AsyncGenerator<readonly RowOutcome[], string> {
  let reader: RowReader | null = null;
  const blocks = readLineBlocks(file.path, context.onProgress);
  for (;;) {
    const block = await blocks.next();
    if (block.done === true) {
      if (reader === null) throw new UnreadableFileError(`${file.path}: the file is empty`);
      yield reader.end();
      return block.value;
    }
    reader ??= readerFor(block.value, file, index, context);
    if (reader !== null) yield reader.push(block.value);
  }
}

/** Null while nothing but blank lines has been read. */
function readerFor(
  lines: readonly TextLine[],
  file: SourceFile,
  index: number,
  context: ReadContext,
): RowReader | null {
  const first = lines.find(({ text }) => text === null || text.trim() !== '');
  if (first === undefined) return null;
  if (first.text?.trimStart().startsWith('{') === true) return new NdjsonRows(file, index, context.brand);
  return new CsvRows(file, index, context.options);
}

class NdjsonRows implements RowReader {
  constructor(
    private readonly file: SourceFile,
    private readonly source: number,
    private readonly brand: string,
  ) {}

  push(lines: readonly TextLine[]): RowOutcome[] {
    return lines.filter(({ text }) => text?.trim() !== '').map((line) => this.outcome(line));
  }

  end(): RowOutcome[] {
    return [];
  }

  private outcome({ line, text }: TextLine): RowOutcome {
    if (text === null)
      return { type: 'rejected', row: line, reason: 'ROW_TOO_LONG', detail: FAULT_DETAILS.ROW_TOO_LONG };
    const canonical = text.trim();
    const defaults = { brand: this.brand, eventId: rowId(this.file.name, line), origin: 'REPLAY' } as const;
    const parsed = parseCanonical(canonical, defaults);
    if (!parsed.ok) return { type: 'rejected', row: line, reason: parsed.reason, detail: parsed.detail };
    const { occurredAt: at, person: subject } = parsed.event;
    return { type: 'row', row: { at, source: this.source, row: line, order: null, canonical, subject } };
  }
}

const FAULT_DETAILS = {
  BAD_QUOTE: 'a quote is not closed, or text follows its end',
  WRONG_COLUMN_COUNT: 'not as many columns as the first row',
  ROW_TOO_LONG: 'the line is too long',
} as const;

class CsvRows implements RowReader {
  private readonly csv: CsvReader;
  private readonly parseStamp: StampParser;
  private readonly minorDigits: number;
  private mapper: RowMapper | null = null;

  constructor(
    private readonly file: SourceFile,
    private readonly source: number,
    private readonly options: ReadingOptions,
  ) {
    this.csv = new CsvReader(options.delimiter);
    this.parseStamp = stampParser(options.timeFormat, new ZoneClock(options.timeZone));
    this.minorDigits = minorDigitsOf(options.currency) ?? 2;
  }

  push(lines: readonly TextLine[]): RowOutcome[] {
    return this.outcomes(this.csv.push(lines));
  }

  end(): RowOutcome[] {
    return this.outcomes(this.csv.end());
  }

  private outcomes(items: readonly CsvItem[]): RowOutcome[] {
    const outcomes: RowOutcome[] = [];
    for (const item of items) {
      if (item.fault !== null) {
        outcomes.push({
          type: 'rejected',
          row: item.row,
          reason: item.fault,
          detail: FAULT_DETAILS[item.fault],
        });
      } else if (this.mapper === null) {
        this.mapper = this.mapperFor(item.cells);
        if (!this.options.header) outcomes.push(this.mapper.map(item.cells, item.row));
      } else {
        outcomes.push(this.mapper.map(item.cells, item.row));
      }
    }
    return outcomes;
  }

  private mapperFor(first: readonly string[]): RowMapper {
    const source = { index: this.source, file: this.file.path };
    return rowMapper(this.options, first, source, this.parseStamp, this.minorDigits);
  }
}
