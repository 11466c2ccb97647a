import type { FoldFrame } from '../fold-frame.js';
import { INITIAL_FRAME } from '../fold-frame.js';
import { compileRules } from '../compiled-rules.js';
import { WindowFigures } from '../windows/window-figures.js';
import type { WindowHeartbeat, WindowRow } from '../windows/window-metrics.js';
import { DayFigures, type DayFiguresJson } from './day-figures.js';
import type { FigureChanges } from './figure-changes.js';
import type { PeriodFigure } from './period-row.js';

/** The running figures of one partition. Changed only by what is committed. */
export class Figures {
  private heartbeats: readonly WindowHeartbeat[] = [];

  private constructor(
    private readonly days: DayFigures,
    /** Made with the first changes: they say what the windows are. */
    private windows: WindowFigures | null,
  ) {}

  static empty(): Figures {
    return new Figures(new DayFigures(), null);
  }

  /** Takes over the changes of a batch that is known to be committed. */
  apply(changes: FigureChanges): void {
    this.days.apply(changes.days);
    // What changes nothing may have been recorded before the log said what its windows are.
    if (changes.windows.size === 0) return;
    // Rules without windows keep no rolling figures.
    if (changes.windows.specs.length === 0) return;
    this.windows ??= new WindowFigures(changes.windows.specs);
    this.windows.apply(changes.windows);
  }

  /**
   * Rows of window ends that are due since the last call.
   * @param corrections   also those of closed ends that were corrected
   */
  takeWindowRows(corrections: boolean): readonly WindowRow[] {
    if (this.windows === null) return [];
    const rows: WindowRow[] = [];
    let more = true;
    while (more) {
      const batch = this.windows.takeRows();
      rows.push(...batch.rows);
      this.heartbeats = [...this.heartbeats, ...batch.heartbeats];
      ({ more } = batch);
    }
    if (corrections) rows.push(...this.windows.takeCorrections());
    return rows;
  }

  /** How many rows of ends the next `takeWindowRows` would hand out with the watermark at `at` (ms), about. */
  windowRowsDue(at: number): number {
    return this.windows?.endsToClose(at) ?? 0;
  }

  /** Pages of 5 KiB that hold window ends; those passed by time go with the rows that are taken of them. */
  get windowPages(): number {
    return this.windows?.pages ?? 0;
  }

  /** How far each window has got, as of the last `takeWindowRows`. */
  takeHeartbeats(): readonly WindowHeartbeat[] {
    const taken = this.heartbeats;
    this.heartbeats = [];
    return taken;
  }

  /** Rows of days that have changed, begun or closed since the last call. */
  takePeriodRows(): readonly PeriodFigure[] {
    return this.days.takeRows();
  }

  /** All rows by day there are. */
  periodRows(): readonly PeriodFigure[] {
    return this.days.allRows();
  }

  /** The stretch of the log that was folded before a restart has been folded again. */
  recovered(): void {
    this.windows?.recovered();
  }

  snapshot(): FiguresSnapshot {
    return { days: this.days.toJson(), windows: this.windows?.snapshot() ?? null };
  }

  static from(snapshot: FiguresSnapshot, frame: FoldFrame): Figures {
    const { windows } = compileRules(frame.rules).rules;
    return new Figures(
      DayFigures.fromJson(snapshot.days, frame.rules),
      snapshot.windows === null ? null : WindowFigures.restore(snapshot.windows, windows),
    );
  }
}

export interface FiguresSnapshot {
  /** JSON-able. */
  readonly days: DayFiguresJson;
  readonly windows: Uint8Array | null;
}

const DAYS = 'figures.days';
const WINDOWS = 'figures.windows';
const FRAME = 'frame';

/** Figures and frame as named blobs, to be stored with the states they belong to. */
export function encodeFigures(
  figures: Figures,
  frame: FoldFrame,
): readonly (readonly [name: string, value: Buffer | null])[] {
  const { days, windows } = figures.snapshot();
  return [
    [FRAME, Buffer.from(JSON.stringify(frame))],
    [DAYS, Buffer.from(JSON.stringify(days))],
    [WINDOWS, windows === null ? null : Buffer.from(windows)],
  ];
}

/** @throws RangeError when a blob is damaged; SyntaxError when it is no JSON */
export function restoreFigures(blob: (name: string) => Buffer | undefined): {
  readonly figures: Figures;
  readonly frame: FoldFrame;
} {
  const storedFrame = blob(FRAME);
  const storedDays = blob(DAYS);
  const frame = storedFrame === undefined ? INITIAL_FRAME : (JSON.parse(storedFrame.toString()) as FoldFrame);
  if (storedDays === undefined) return { figures: Figures.empty(), frame };
  const days = JSON.parse(storedDays.toString()) as DayFiguresJson;
  return { figures: Figures.from({ days, windows: blob(WINDOWS) ?? null }, frame), frame };
}
