import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  FigureRow,
  FigureSink,
  HeartbeatRow,
  LateEventRow,
  PeriodFigureRow,
  PersonRow,
  WindowFigureRow,
} from '#pipeline';

/** A sink and what a reader sees of it. */
export interface OpenedFigureSink {
  readonly sink: FigureSink;
  /** The rows that count, as `[key columns…, one figure, version]`, in any order. */
  seen(table: FigureRow['table']): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

const AT = Date.UTC(2026, 10, 11, 12);
const EPOCH_40 = 40n << 48n;
const head = { brand: 'b1', partition: 0, generation: 1, version: EPOCH_40 };

export function contractWindow(changes: Partial<WindowFigureRow> = {}): WindowFigureRow {
  return {
    ...{
      table: 'window_figures',
      ...head,
      channel: 'all',
      window: '5m',
      end: AT,
      status: 'closed',
      watermark: AT,
    },
    ...{ visitors: 1, active: 0, active_related: 0, visitors_related: 0, capital: 0 },
    ...{ capital_reachable: 0, orders: 0, buyers: 0, gmv_gross_minor: 0, refunds_minor: 0 },
    ...changes,
  };
}

export function contractPeriod(changes: Partial<PeriodFigureRow> = {}): PeriodFigureRow {
  return {
    ...{
      table: 'period_figures',
      ...head,
      channel: 'all',
      scheme_id: 's',
      period_id: 's',
      day: '2026-11-11',
    },
    ...{
      status: 'provisional',
      watermark: AT,
      capital: 1,
      capital_base: 0,
      new_relations: 0,
      lost_relations: 0,
    },
    ...{
      orders: 0,
      gmv_gross_minor: 0,
      refunds_minor: 0,
      deepened: 0,
      deepened_cohort: 0,
      tiers: [0, 1, 0, 0, 0, 0],
    },
    ...changes,
  };
}

export function contractPerson(changes: Partial<PersonRow> = {}): PersonRow {
  return {
    ...{ table: 'persons', ...head, scheme_id: 's', person: 'p1', period_id: 's', tier: 1, purchase_days: 0 },
    ...{
      orders: 0,
      own_value_minor: 0,
      first_purchase: null,
      last_purchase: null,
      is_member: false,
      gone: false,
    },
    ...changes,
  };
}

export function contractHeartbeat(changes: Partial<HeartbeatRow> = {}): HeartbeatRow {
  return {
    ...{ table: 'window_heartbeats', window: '5m', end: AT, partition: 0, generation: 1, version: EPOCH_40 },
    ...changes,
  };
}

function contractLate(changes: Partial<LateEventRow> = {}): LateEventRow {
  return {
    ...{ table: 'late_events', ...head, channel: 'shop', window: '5m', event_id: 'e', person: 'p' },
    ...{ at: AT, arrived_at: AT + 900_000, missed_from: AT, missed_to: AT + 300_000 },
    ...changes,
  };
}

/** What the pipeline relies on: rows are absolute, the highest version of a key wins, writing again is harmless. */
export function figureSinkContract(name: string, open: () => Promise<OpenedFigureSink>): void {
  describe(`${name} as a figure sink`, () => {
    let opened: OpenedFigureSink;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const sorted = async (table: FigureRow['table']) =>
      [...(await opened.seen(table))].map((row) => JSON.stringify(row.map(String))).sort();
    const texts = (...rows: readonly (readonly unknown[])[]) =>
      rows.map((row) => JSON.stringify(row.map(String))).sort();

    it('takes nothing', async () => {
      await opened.sink.write([]);
    });

    it('keeps the highest version of a window end, whatever order rows come in and however often', async () => {
      const older = contractWindow({ visitors: 3, version: EPOCH_40 + 1n });
      const newer = contractWindow({ visitors: 7, version: EPOCH_40 + 2n });
      await opened.sink.write([newer, contractWindow({ partition: 1, visitors: 9 })]);
      await opened.sink.write([older]);
      await opened.sink.write([older, newer]);
      expect(await sorted('window_figures')).toEqual(
        texts(['b1', 'all', '5m', AT, 1, 0, 7, EPOCH_40 + 2n], ['b1', 'all', '5m', AT, 1, 1, 9, EPOCH_40]),
      );
    });

    it('tells days, periods, channels and generations apart', async () => {
      await opened.sink.write([
        contractPeriod(),
        contractPeriod({ day: '2026-11-12', capital: 2 }),
        contractPeriod({ channel: 'shop', capital: 3, tiers: [] }),
        contractPeriod({ generation: 2, capital: 4 }),
        contractPeriod({ capital: 5, version: EPOCH_40 + 1n }),
      ]);
      expect(await sorted('period_figures')).toEqual(
        texts(
          ['b1', 'all', 's', 's', '2026-11-11', 1, 0, 5, EPOCH_40 + 1n],
          ['b1', 'all', 's', 's', '2026-11-12', 1, 0, 2, EPOCH_40],
          ['b1', 'shop', 's', 's', '2026-11-11', 1, 0, 3, EPOCH_40],
          ['b1', 'all', 's', 's', '2026-11-11', 2, 0, 4, EPOCH_40],
        ),
      );
    });

    it('replaces a person and knows who is gone', async () => {
      await opened.sink.write([contractPerson(), contractPerson({ person: '人', tier: 4 })]);
      await opened.sink.write([contractPerson({ gone: true, version: EPOCH_40 + 1n })]);
      expect(await sorted('persons')).toEqual(
        texts(['b1', 's', 'p1', 1, 0, true, EPOCH_40 + 1n], ['b1', 's', '人', 1, 0, false, EPOCH_40]),
      );
    });

    it('keeps a late event once per window', async () => {
      await opened.sink.write([contractLate(), contractLate({ window: '1h', missed_to: AT + 60_000 })]);
      await opened.sink.write([contractLate()]);
      expect(await sorted('late_events')).toEqual(
        texts(
          ['b1', '1h', 'e', 'p', 1, 0, AT + 60_000, EPOCH_40],
          ['b1', '5m', 'e', 'p', 1, 0, AT + 300_000, EPOCH_40],
        ),
      );
    });

    it('moves heartbeats on, never back', async () => {
      await opened.sink.write([contractHeartbeat({ end: AT + 1_000, version: EPOCH_40 + 5n })]);
      await opened.sink.write([contractHeartbeat()]);
      expect(await sorted('window_heartbeats')).toEqual(texts(['5m', 1, 0, AT + 1_000, EPOCH_40 + 5n]));
    });
  });
}
