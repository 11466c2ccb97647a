/** All files of a replay or an import, read once and sorted; what memory does not hold waits on the disk. */
import { createHash } from 'node:crypto';
import { ExternalSorter } from './external-sort.js';
import { readRows } from './read-rows.js';
import { compareRows, decodeRow, encodeRow, type RecordedRow } from './recorded-row.js';
import type { ReadingOptions, SourceFile } from './replay-options.js';
import type { RowIgnoreReason, RowRejectReason } from './row-outcome.js';

/** Rows that a report shows per reason. */
const EXAMPLES_MAX = 5;
const RUN_ROWS_MAX = 250_000;
/** Characters that the rows of one run keep in memory. */
const RUN_CHARS_MAX = 64_000_000;
/** What a row weighs beside its text. */
const ROW_CHARS = 100;
/** Of encoded rows: some millions of them. What memory does not hold waits on the disk. */
const MEMORY_BYTES_MAX = 128 * 1024 * 1024;
const FAN_IN_MAX = 64;

export interface RejectedRow {
  readonly source: string;
  readonly row: number;
  readonly detail: string;
}

export interface RejectCount {
  count: number;
  /** The first ones. */
  readonly examples: RejectedRow[];
}

export interface SortedRows {
  /** Every line that was a row, whatever became of it. */
  readonly rowsRead: number;
  readonly rows: number;
  readonly rejected: ReadonlyMap<RowRejectReason, RejectCount>;
  readonly ignored: ReadonlyMap<RowIgnoreReason, number>;
  /** Hash (hex) over names and contents of the files, in their order. */
  readonly contentHash: string;
  readonly spilled: boolean;
  /** The last event time up to `latestAt`, ms; null where there is none. */
  readonly lastAt: number | null;
  /** From the start each time it is called. */
  inOrder(): Generator<RecordedRow>;
  dispose(): void;
}

export interface SortProgress {
  readonly file: string;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

export interface SortPlan {
  readonly files: readonly SourceFile[];
  readonly options: ReadingOptions;
  readonly brand: string;
  /** For the runs; need not exist. */
  readonly directory: string;
  /** Rows later than this are bound to be refused, ms. */
  readonly latestAt: number;
  readonly runRowsMax?: number;
  readonly memoryBytesMax?: number;
  /** By time unless given. */
  readonly compare?: (left: RecordedRow, right: RecordedRow) => number;
  /** Ends the reading, with its reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SortProgress) => void;
  readonly onReject?: (source: string, row: number, reason: RowRejectReason, detail: string) => void;
}

/** @throws UnreadableFileError | MissingColumnError, or the signal's reason */
export async function sortRows(plan: SortPlan): Promise<SortedRows> {
  const sorter = new ExternalSorter<RecordedRow>({
    directory: plan.directory,
    compare: plan.compare ?? compareRows,
    encode: encodeRow,
    decode: decodeRow,
    runItemsMax: plan.runRowsMax ?? RUN_ROWS_MAX,
    runWeightMax: RUN_CHARS_MAX,
    memoryBytesMax: plan.memoryBytesMax ?? MEMORY_BYTES_MAX,
    fanInMax: FAN_IN_MAX,
  });
  const rejected = new Map<RowRejectReason, RejectCount>();
  const ignored = new Map<RowIgnoreReason, number>();
  const hash = createHash('sha256');
  let rowsRead = 0;
  let lastAt: number | null = null;
  try {
    for (const [index, file] of plan.files.entries()) {
      const onProgress = (bytes: { bytesRead: number; bytesTotal: number }): void =>
        plan.onProgress?.({ file: file.path, rowsRead, ...bytes });
      const blocks = readRows(file, index, { options: plan.options, brand: plan.brand, onProgress });
      for (let block = await blocks.next(); ; block = await blocks.next()) {
        if (block.done === true) {
          hash.update(`${JSON.stringify(file.name)} ${block.value}\n`);
          break;
        }
        plan.signal?.throwIfAborted();
        rowsRead += block.value.length;
        for (const outcome of block.value) {
          if (outcome.type === 'row') {
            const { at } = outcome.row;
            if (at <= plan.latestAt && (lastAt === null || at > lastAt)) lastAt = at;
            sorter.add(outcome.row, ROW_CHARS + (outcome.row.canonical?.length ?? 0));
          } else if (outcome.type === 'ignored') {
            ignored.set(outcome.reason, (ignored.get(outcome.reason) ?? 0) + 1);
          } else {
            countReject(rejected, outcome.reason, {
              source: file.name,
              row: outcome.row,
              detail: outcome.detail,
            });
            plan.onReject?.(file.name, outcome.row, outcome.reason, outcome.detail);
          }
        }
      }
    }
    sorter.finish();
  } catch (error) {
    sorter.dispose();
    throw error;
  }
  return {
    rowsRead,
    rows: sorter.size,
    rejected,
    ignored,
    contentHash: hash.digest('hex'),
    spilled: sorter.spilled,
    lastAt,
    inOrder: () => sorter.sorted(),
    dispose: () => sorter.dispose(),
  };
}

function countReject(
  counts: Map<RowRejectReason, RejectCount>,
  reason: RowRejectReason,
  row: RejectedRow,
): void {
  const known = counts.get(reason) ?? { count: 0, examples: [] };
  known.count++;
  if (known.examples.length < EXAMPLES_MAX) known.examples.push(row);
  counts.set(reason, known);
}
