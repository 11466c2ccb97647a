import { Counter, Gauge, type Registry } from 'prom-client';

interface Labels {
  readonly service: string;
  readonly partition: number;
}

const LABELS = ['service', 'partition'];

/** The snapshots of the partitions of a process. */
export class SnapshotFigures {
  readonly #newest = new Map<string, { readonly labels: Labels; readonly takenAt: number }>();
  readonly #bytes: Gauge;
  readonly #seconds: Gauge;
  readonly #failures: Counter;

  constructor(registry: Registry, now: () => number) {
    const registers = [registry];
    const gauge = (name: string, help: string): Gauge =>
      new Gauge({ name, help, labelNames: LABELS, registers });
    this.#bytes = gauge('gravity_snapshot_bytes', 'Size of the newest snapshot of a partition');
    this.#seconds = gauge('gravity_snapshot_duration_seconds', 'How long the newest snapshot took');
    this.#failures = new Counter({
      name: 'gravity_snapshot_failures_total',
      help: 'Snapshots that could not be taken',
      labelNames: LABELS,
      registers,
    });
    const newest = this.#newest;
    // Worked out when asked for, so that it goes on growing when no more snapshots are taken.
    new Gauge({
      name: 'gravity_snapshot_age_seconds',
      help: 'Age of the newest snapshot of a partition',
      labelNames: LABELS,
      registers,
      collect() {
        this.reset();
        for (const { labels, takenAt } of newest.values()) this.set({ ...labels }, (now() - takenAt) / 1_000);
      },
    });
  }

  /** @param takenAt   ms */
  taken(labels: Labels, takenAt: number, bytes: number, durationMs: number | undefined): void {
    this.#newest.set(keyOf(labels), { labels, takenAt });
    this.#bytes.set({ ...labels }, bytes);
    if (durationMs !== undefined) this.#seconds.set({ ...labels }, durationMs / 1_000);
  }

  failed(labels: Labels): void {
    this.#failures.inc({ ...labels });
  }

  forget(labels: Labels): void {
    this.#newest.delete(keyOf(labels));
    this.#bytes.remove({ ...labels });
    this.#seconds.remove({ ...labels });
  }
}

function keyOf({ service, partition }: Labels): string {
  return `${service}/${partition}`;
}
