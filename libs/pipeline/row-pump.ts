import type { BatchControl } from './log.js';
import type { Outbox, PumpReport } from './outbox.js';
import type { RelationshipSettings } from './relationship-settings.js';
import type { FigureSink } from './rows.js';

const SINK_PAUSE_MS = 500;
const PUMP_PAUSE_MS = 20;

/** Sends the rows of one partition's outbox on, and holds its reader back where the sink does not keep up. */
export class RowPump {
  #isStopped = false;

  constructor(
    private readonly outbox: Outbox,
    private readonly sink: FigureSink,
    private readonly settings: Pick<RelationshipSettings, 'rowsPerInsertMax' | 'outboxRowsMax' | 'drainMs'>,
    private readonly now: () => number,
    private readonly onPumped: (report: PumpReport, rowsLeft: number) => void,
  ) {}

  stop(): void {
    this.#isStopped = true;
  }

  /** Sends what is there, until the sink refuses. Never rejects. */
  async sendAll(): Promise<void> {
    while (!this.#isStopped) {
      const before = this.outbox.size;
      const report = await this.#send();
      if (report.rows === 0 || before <= this.settings.rowsPerInsertMax) return;
    }
  }

  /** Sends what is there for a bounded time. */
  async drain(): Promise<void> {
    const deadline = this.now() + this.settings.drainMs;
    while (this.outbox.size > 0 && this.now() < deadline) {
      const report = await this.#send();
      if (report.error !== null) return;
      // Another insert is under way: let it finish.
      if (report.rows === 0) await pause(PUMP_PAUSE_MS);
    }
  }

  /** Backpressure: nothing is dropped and nothing grows without bound while the sink is away. */
  async waitForRoom(control: BatchControl): Promise<void> {
    while (this.outbox.size > this.settings.outboxRowsMax && !control.isStale() && !this.#isStopped) {
      const report = await this.#send();
      await control.heartbeat();
      if (report.error !== null || report.rows === 0) await pause(SINK_PAUSE_MS);
    }
  }

  async #send(): Promise<PumpReport> {
    const report = await this.outbox.pump(this.sink, this.settings.rowsPerInsertMax, this.now);
    if (report.rows > 0 || report.error !== null) this.onPumped(report, this.outbox.size);
    return report;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
