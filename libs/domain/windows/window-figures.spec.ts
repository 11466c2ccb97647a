import { describe, expect, it } from '@jest/globals';
import { WindowHarness, type WindowLogEntry } from '#testing';
import { DEFAULT_WINDOWS, type WindowSpec } from '../rules.js';
import { PAGES_MAX } from './difference-pages.js';
import { WindowChanges } from './window-changes.js';
import { OPEN_ENDS_MAX } from './window-figure.js';
import { WindowFigures } from './window-figures.js';
import { AMONG_VISITORS, METRIC, type WindowRow } from './window-metrics.js';

const S = 1_000;
const HOUR = 3_600 * S;
const DAY = 24 * HOUR;
/** 3 ends of 10 s an event; the last 2 closed ends may still change. */
const W: WindowSpec = { id: 'w', widthMs: 30 * S, slideMs: 10 * S, latenessMs: 20 * S };
const HOURLY: WindowSpec = { id: 'h', widthMs: 3 * HOUR, slideMs: HOUR, latenessMs: HOUR };

type Record = (changes: WindowChanges) => void;

function apply(
  figures: WindowFigures,
  specs: readonly WindowSpec[],
  ...records: readonly Record[]
): WindowChanges {
  const changes = new WindowChanges(specs);
  for (const record of records) record(changes);
  figures.apply(changes);
  return changes;
}

const tick =
  (at: number): Record =>
  (changes) =>
    changes.advance(at);
const visitors =
  (from: number, to: number, value = 1, window = 0): Record =>
  (changes) =>
    changes.add(changes.aggregate('north', 'live'), window, METRIC.visitors, from, to, value);

const brief = ({ end, status, visitors: count }: WindowRow) => `${end / S} ${status} ${count}`;
const taken = (figures: WindowFigures, now?: number) => figures.takeRows(now).rows.map(brief);

function started(specs: readonly WindowSpec[] = [W], at = 100 * S): WindowFigures {
  const figures = new WindowFigures(specs);
  apply(figures, specs, tick(at));
  return figures;
}

describe('rows', () => {
  it('come once per closed end with a figure; ends without one have none', () => {
    const figures = started();
    apply(figures, [W], visitors(13, 16));
    expect(taken(figures)).toEqual([]);
    apply(figures, [W], tick(180 * S));
    expect(taken(figures)).toEqual(['140 closed 1', '150 closed 1', '160 closed 1']);
    expect(taken(figures)).toEqual([]);
  });

  it('come closed, and of the end that is open, where the clock is behind the watermark', () => {
    const figures = started();
    apply(figures, [W], visitors(13, 20), tick(180 * S));
    expect(taken(figures, 90 * S)).toEqual([
      ...['140 closed 1', '150 closed 1', '160 closed 1', '170 closed 1', '180 closed 1'],
      '190 provisional 1',
    ]);
  });

  it('carry every metric and the watermark', () => {
    const figures = started();
    apply(
      figures,
      [W],
      (changes) => {
        const aggregate = changes.allChannels('north');
        Object.values(METRIC).forEach((metric) => changes.add(aggregate, 0, metric, 13, 14, metric + 1));
        changes.add(aggregate, 0, METRIC.gross, 13, 14, 2 ** 52);
      },
      tick(140 * S),
    );
    expect(figures.takeRows().rows).toEqual([
      {
        brand: 'north',
        channel: 'all',
        window: 'w',
        end: 140 * S,
        status: 'closed',
        watermark: 140 * S,
        visitors: 1,
        active: 2,
        active_related: 3,
        visitors_related: 4,
        capital: 5,
        orders: 6,
        gmv_gross_minor: 2 ** 52 + 7,
        refunds_minor: 8,
        buyers: 9,
        capital_reachable: 10,
      },
    ]);
  });

  it('of windows that reach back before the first tick are incomplete (trap 25)', () => {
    const figures = started();
    apply(figures, [W], visitors(10, 20), tick(140 * S));
    expect(taken(figures)).toEqual([
      '110 incomplete 1',
      '120 incomplete 1',
      '130 closed 1',
      '140 closed 1',
      '150 provisional 1',
    ]);
  });

  it('of the open end come when it changes, and once more when it closes', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(30, 33));
    expect(taken(figures)).toEqual(['310 provisional 1']);
    expect(taken(figures)).toEqual([]);
    apply(figures, [W], visitors(30, 33));
    expect(taken(figures)).toEqual(['310 provisional 2']);
    apply(figures, [W], tick(310 * S));
    expect(taken(figures)).toEqual(['310 closed 2', '320 provisional 2']);
  });

  it('of open ends reach to `now` where the watermark trails, within a bound', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(30, 50));
    expect(taken(figures, 325 * S)).toEqual(['310 provisional 1', '320 provisional 1', '330 provisional 1']);
    expect(taken(figures, 1e12)).toHaveLength(OPEN_ENDS_MAX - 3);
    expect(taken(figures, 0)).toEqual([]);
  });

  it('of closed ends that change again wait for `takeCorrections`, unless they become final', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(28, 31));
    expect(taken(figures)).toEqual(['290 closed 1', '300 closed 1', '310 provisional 1']);
    apply(figures, [W], visitors(28, 29), visitors(29, 30, -1));
    expect(taken(figures)).toEqual([]);
    expect(figures.takeCorrections().map(brief)).toEqual(['290 closed 2', '300 closed 0']);
    expect(figures.takeCorrections()).toEqual([]);
    apply(figures, [W], visitors(28, 29), tick(310 * S));
    expect(taken(figures)).toEqual(['290 closed 3', '310 closed 1']);
    expect(figures.takeCorrections()).toEqual([]);
  });

  it('leave later ends as they are, where the late person had gone by then', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(28, 31));
    taken(figures);
    // With the next moment in the slide after it: one more at the closed end 290 only.
    apply(figures, [W], (changes) =>
      changes.insert(changes.aggregate('north', 'live'), AMONG_VISITORS, 28, -Infinity, 29),
    );
    apply(figures, [W], tick(310 * S));
    expect(taken(figures)).toEqual(['290 closed 2', '310 closed 1']);
  });

  it('of closed ends are known to be written, however many open ends were written since', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(28, 40));
    expect(taken(figures, 1e12)).toHaveLength(2 + OPEN_ENDS_MAX);
    apply(figures, [W], visitors(28, 30, -1));
    expect(figures.takeCorrections().map(brief)).toEqual(['290 closed 0', '300 closed 0']);
    expect(taken(figures, 1e12)).toEqual([]);
  });

  it('of closed ends that change back to nothing are still owed when nothing else is left', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], tick(300 * S), visitors(28, 31));
    taken(figures);
    apply(figures, [W], visitors(28, 31, -1));
    expect(taken(figures)).toEqual(['310 provisional 0']);
    expect(figures.takeCorrections().map(brief)).toEqual(['290 closed 0', '300 closed 0']);
  });

  it('come at most `limit` at a time, and none is lost or repeated', () => {
    const figures = started();
    apply(figures, [W], visitors(11, 40), tick(300 * S));
    const ends: number[] = [];
    for (let more = true; more;) {
      const batch = figures.takeRows(undefined, 7);
      expect(batch.rows.length).toBeLessThanOrEqual(7);
      expect(batch.heartbeats).toHaveLength(batch.more ? 0 : 1);
      ends.push(...batch.rows.map((row) => row.end / S));
      more = batch.more;
    }
    expect(ends).toEqual(Array.from({ length: 20 }, (_, i) => 120 + 10 * i));
  });

  it('wait for the first tick; what lies behind its horizon is summed up without rows', () => {
    const figures = new WindowFigures([W]);
    apply(figures, [W], visitors(0, Infinity), visitors(-3e8, 40));
    expect(figures.takeRows()).toEqual({ rows: [], heartbeats: [], more: false });
    apply(figures, [W], tick(100 * S));
    expect(taken(figures)).toEqual(['90 incomplete 2', '100 incomplete 2', '110 incomplete 2']);
  });
});

describe('heartbeats', () => {
  it('tell per window the last closed end, once, also without traffic', () => {
    const specs = [W, HOURLY];
    const figures = started(specs, 5 * HOUR);
    expect(figures.takeRows().heartbeats).toEqual([
      { window: 'w', end: 5 * HOUR },
      { window: 'h', end: 5 * HOUR },
    ]);
    apply(figures, specs, tick(5 * HOUR + 12 * S));
    expect(figures.takeRows().heartbeats).toEqual([{ window: 'w', end: 5 * HOUR + 10 * S }]);
    expect(figures.takeRows().heartbeats).toEqual([]);
  });
});

describe('rows of windows that slide by less than an hour', () => {
  const specs = [W, HOURLY];

  it('are written only from the instant that the rules name on, with figures that know what was before', () => {
    const figures = started(specs, HOUR);
    apply(
      figures,
      specs,
      visitors(400, Infinity),
      (changes) => changes.setFineRowsFrom(2 * HOUR),
      tick(1.5 * HOUR),
    );
    expect(figures.takeRows()).toEqual({ rows: [], heartbeats: [{ window: 'h', end: HOUR }], more: false });
    apply(figures, specs, tick(2 * HOUR + 10 * S));
    const { rows, heartbeats } = figures.takeRows();
    expect(rows.map(brief)).toEqual(['7200 closed 1', '7210 closed 1', '7220 provisional 1']);
    expect(heartbeats.map(({ window }) => window)).toEqual(['w', 'h']);
  });

  it('cost nothing over long stretches without rows: 13 months of hourly visits', () => {
    const start = 10_000 * HOUR;
    const hours = Array.from({ length: 395 * 24 }, (_, hour) => start + hour * HOUR);
    const log = hours.flatMap((at, n): WindowLogEntry[] => [
      { type: 'tick', at },
      { type: 'seen', id: `s${n}`, brand: 'north', person: `p${n % 50}`, channel: 'live', at, active: false },
    ]);
    const harness = new WindowHarness(log, DEFAULT_WINDOWS, start + 395 * DAY);
    while (harness.position < log.length) harness.run(48);
    expect(harness.figures.pages).toBeLessThan(2 * ((395 * 24) / 64 + 14));
    expect(new Set(harness.takeRows().map(({ window }) => window))).toEqual(new Set(['30d']));
    expect(harness.figures.pages).toBeLessThan(40);
  });
});

describe('long stretches', () => {
  it('without any figure are passed in one step: ten years at once', () => {
    const figures = started([W], 1_000 * DAY);
    apply(figures, [W], visitors(100 * 86_400, 100 * 86_400 + 3), tick(4_650 * DAY));
    const end = (4_650 * DAY) / (10 * S);
    apply(figures, [W], visitors(end, end + 3), tick(4_650 * DAY + 20 * S));
    expect(figures.takeRows().rows).toHaveLength(3 + 3);
  });

  it('with a stock have a row at every end, in bounded parts', () => {
    const figures = started([W], 1_000 * DAY);
    apply(figures, [W], visitors(100 * 86_400, Infinity), tick(1_001 * DAY));
    let rows = 0;
    for (let more = true; more;) {
      const batch = figures.takeRows(undefined, 1_000);
      rows += batch.rows.length;
      more = batch.more;
    }
    expect(rows).toBe(8_640 + 1);
  });
});

describe('events far ahead of the watermark (trap 7)', () => {
  it('stand at their own ends, also while the watermark passes what lies between', () => {
    const figures = started();
    const far = (5 * DAY) / (10 * S);
    apply(figures, [W], visitors(far, far + 3), visitors(11, 12), tick(130 * S));
    expect(taken(figures)).toEqual(['120 incomplete 1']);
    apply(figures, [W], tick(3 * DAY));
    expect(taken(figures)).toEqual([]);
    apply(figures, [W], tick(5 * DAY + 40 * S));
    expect(taken(figures).map((row) => row.split(' ').slice(1).join(' '))).toEqual([
      'closed 1',
      'closed 1',
      'closed 1',
    ]);
  });

  it('beyond the bound are refused by its name', () => {
    const figures = started();
    const changes = new WindowChanges([W]);
    for (let i = 0; i <= PAGES_MAX; i++) visitors(100 + i * 64, 101 + i * 64)(changes);
    expect(() => figures.apply(changes)).toThrow(/PAGES_MAX = 16384/);
  });
});

describe('refusals', () => {
  it('a change before the horizon is an error of ours and stops', () => {
    expect(() => apply(started(), [W], visitors(7, 9))).toThrow(/from end 7 lies before the horizon 8/);
  });

  it('changes that have been taken over already: their room may be another batch’s by now', () => {
    const figures = started();
    const changes = apply(figures, [W], visitors(11, 14));
    expect(() => figures.apply(changes)).toThrow(/taken over already/);
  });

  it('changes of other windows', () => {
    expect(() => apply(started(), [HOURLY])).toThrow(/other windows/);
  });
});

describe('an aggregate with nothing left', () => {
  it('is dropped once its last figure is final, and may come again', () => {
    const figures = started();
    apply(figures, [W], visitors(11, 14), tick(150 * S));
    figures.takeRows();
    expect(figures.aggregates).toBe(1);
    apply(figures, [W], tick(2_000 * S));
    expect(taken(figures)).toEqual([]);
    expect([figures.aggregates, figures.pages]).toEqual([0, 0]);
    apply(figures, [W], visitors(200, 203), tick(2_010 * S));
    expect(taken(figures)).toEqual(['2010 closed 1', '2020 provisional 1']);
  });
});

describe('a snapshot', () => {
  function withFigures(): WindowFigures {
    const figures = started([W, HOURLY], 200 * S);
    apply(
      figures,
      [W, HOURLY],
      visitors(19, 40),
      visitors(22, Infinity, 3),
      visitors(0, 3, 2, 1),
      tick(240 * S),
    );
    return figures;
  }

  it('comes back with the same bytes and figures', () => {
    const figures = withFigures();
    const again = WindowFigures.restore(figures.snapshot(), [W, HOURLY]);
    expect(again.snapshot()).toEqual(figures.snapshot());
    expect(again.watermark).toBe(240 * S);
  });

  it('writes all of [horizon, last closed end] again, zeros too: what stands there is unknown (trap 11)', () => {
    const figures = started([W], 200 * S);
    apply(figures, [W], visitors(21, 22), tick(240 * S));
    expect(taken(figures)).toEqual(['220 incomplete 1']);
    const again = WindowFigures.restore(figures.snapshot(), [W]);
    // Folded again from the snapshot: the correction to 0 that the process before may not have written.
    apply(again, [W], visitors(22, 23, 5), visitors(22, 23, -5), tick(250 * S));
    again.recovered();
    expect(taken(again)).toEqual(['230 closed 0', '240 closed 0', '250 closed 0', '260 provisional 0']);
    expect(taken(again)).toEqual([]);
  });

  it('writes zeros also before it has recovered', () => {
    const again = WindowFigures.restore(started([W], 200 * S).snapshot(), [W]);
    apply(again, [W], visitors(20, 21, 5), visitors(20, 21, -5), tick(210 * S));
    expect(taken(again)).toEqual(['190', '200', '210', '220'].map((end) => `${end} incomplete 0`));
  });

  it('goes on without zeros once it has recovered', () => {
    const again = WindowFigures.restore(withFigures().snapshot(), [W, HOURLY]);
    again.recovered();
    again.takeRows();
    apply(again, [W, HOURLY], visitors(24, Infinity, -3), visitors(24, 40, -1), tick(1_000 * S));
    const rows = again.takeRows().rows.filter(({ window }) => window === 'w');
    // The ends that were open when it came back get their zero; the others are zero by the heartbeat.
    expect(rows.map(brief)).toEqual(
      Array.from({ length: OPEN_ENDS_MAX }, (_, i) => `${250 + 10 * i} closed 0`),
    );
  });

  it('of a partition that has seen no tick yet comes back too', () => {
    const figures = new WindowFigures([W], 5);
    apply(figures, [W], visitors(19, 40));
    const again = WindowFigures.restore(figures.snapshot(), [W]);
    again.recovered();
    expect(again.watermark).toBe(-Infinity);
    apply(again, [W], tick(200 * S));
    expect(taken(again)[0]).toBe('200 incomplete 1');
  });

  it('of other windows, of another version, or damaged, is refused', () => {
    const bytes = withFigures().snapshot();
    expect(() => WindowFigures.restore(bytes, [W])).toThrow(/other windows/);
    expect(() => WindowFigures.restore(bytes, [W, { ...HOURLY, latenessMs: 2 * HOUR }])).toThrow(
      /other windows/,
    );
    expect(() => WindowFigures.restore(bytes.with(0, 1), [W, HOURLY])).toThrow(/version 1, not 2/);
    expect(() => WindowFigures.restore(bytes.subarray(0, -1), [W, HOURLY])).toThrow(/ends too early/);
    expect(() => WindowFigures.restore(new Uint8Array([...bytes, 0]), [W, HOURLY])).toThrow(/bytes are left/);
  });
});
