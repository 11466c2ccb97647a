import { messageOf } from '#pipeline';

/** Whether Kafka answers. */
export interface LogStatus {
  readonly ok: boolean;
  /** Of the last error, while not ok. */
  readonly detail: string;
}

/** What one user of the cluster (a consumer, a writer, …) says about it. */
export interface Watch {
  /** Kafka does not answer, or not as it should; it is being waited out. */
  trouble(error: unknown): void;
  recovered(): void;
}

/** Kafka is well when nobody waits for it; tells each change once. */
export class StatusBoard {
  private readonly troubles = new Map<Watch, string>();
  private told = '';

  constructor(private readonly tell: (status: LogStatus) => void) {}

  watch(): Watch {
    const watch: Watch = {
      trouble: (error) => {
        this.troubles.set(watch, messageOf(error));
        this.review();
      },
      recovered: () => {
        if (this.troubles.delete(watch)) this.review();
      },
    };
    return watch;
  }

  private review(): void {
    const detail = [...this.troubles.values()].at(-1) ?? '';
    if (detail === this.told) return;
    this.told = detail;
    this.tell({ ok: this.troubles.size === 0, detail });
  }
}
