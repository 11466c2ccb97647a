import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { LocalSchemaRegistry, openCodecs, SchemaCatalog } from '#contracts';
import { openStateStore } from '#data-folder';
import { TOPICS, type FigureRow, type FigureSink } from '#pipeline';
import { eventually, RecordingFigureSink, TempDir } from '#testing';
import { openReplayLog, planFor, type ReplayLog } from '../../simulator/recorded/replay-fixture.js';
import { replay } from '../../simulator/recorded/replay.js';
import { FoldHere } from './fold-here.js';
import { RELATIONSHIP_GROUP } from './folding.js';

const SETTINGS = {
  isWatched: false,
  cachedStatesMax: 1_000,
  outboxRowsMax: 100_000,
  batchRecordsMax: 1_000,
};

/** ClickHouse, away until it is told otherwise. */
class AwaySink implements FigureSink {
  readonly rows = new RecordingFigureSink();
  isAway = true;
  refused = 0;

  async write(rows: readonly FigureRow[]): Promise<void> {
    if (this.isAway) {
      this.refused += 1;
      throw new Error('away');
    }
    await this.rows.write(rows);
  }
}

describe('a fold that is told that nothing more comes', () => {
  let directory: TempDir;
  let target: ReplayLog;
  let sink: AwaySink;
  let fold: FoldHere;

  beforeEach(async () => {
    directory = new TempDir('fold-here');
    target = await openReplayLog(directory.join('log'), 2);
    const csv = directory.join('a.csv');
    const rows = Array.from(
      { length: 400 },
      (_, n) => `p${n % 40},2024-01-${10 + (n % 15)} 10:30:00,5,o${n}`,
    );
    writeFileSync(csv, `person,time,amount,order\n${rows.join('\n')}\n`);
    const plan = planFor([csv], directory.join('sort'));
    await replay(plan, () => Promise.resolve(target), {}, new AbortController().signal);
    sink = new AwaySink();
    fold = await start();
  });

  afterEach(async () => {
    await fold.stop(true);
    await target.log.close();
    directory.remove();
  });

  async function start(): Promise<FoldHere> {
    const catalog = SchemaCatalog.load();
    const codecs = await openCodecs(new LocalSchemaRegistry(catalog), catalog);
    const stores = (name: string) => openStateStore(directory.path, name);
    const share = { index: 0, of: 1 };
    const parts = { log: target.log, codecs, openStateStore: stores, sink, warn: () => undefined, share };
    return FoldHere.start(parts, SETTINGS);
  }

  async function ends(): Promise<Map<number, number>> {
    const found = await target.log.ends(TOPICS.relationshipLog);
    return new Map(found.map(({ partition, end }) => [partition, end]));
  }

  it('has finished when all is folded and ClickHouse has every row, which may take it a while', async () => {
    fold.finish();
    const all = await ends();
    await eventually(() => expect(fold.state().positions).toEqual(all));
    await eventually(() => expect(sink.refused).toBeGreaterThan(0));
    expect(fold.state()).toMatchObject({ isFinished: false, failure: null });
    expect(fold.state().rowsLeft).toBeGreaterThan(0);

    sink.isAway = false;
    await eventually(() => expect(fold.state().isFinished).toBe(true));
    expect(fold.state().rowsLeft).toBe(0);
    expect(sink.rows.rows('persons')).toHaveLength(80);
  });

  it('says where it stood when its states are kept, and the next one goes on from there', async () => {
    sink.isAway = false;
    await fold.finishing();
    await fold.stop(true);
    expect(fold.state()).toEqual({ positions: await ends(), rowsLeft: 0, isFinished: true, failure: null });

    const { store } = openStateStore(directory.path, RELATIONSHIP_GROUP);
    const kept = new Map(store.stored().map(({ partition, offset }) => [partition, offset]));
    store.close();
    expect(kept).toEqual(await ends());
  });

  it('ends at once when it is told to stop while ClickHouse is away', async () => {
    const finishing = fold.finishing();
    await eventually(() => expect(sink.refused).toBeGreaterThan(0));
    await fold.stop(false);
    await finishing;
    expect(fold.state()).toMatchObject({ isFinished: false, failure: null });
  });
});
