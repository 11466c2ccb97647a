import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ClickHouseFigureSink, type ClickHouse, type Query } from '#clickhouse';
import { eventually, openEmbeddedClickHouse, type EmbeddedClickHouse } from '#testing';
import { BRAND, figureRows } from '../spec-support/stored-figures.js';
import { FigureRounds, type Board, type PageView } from './figure-rounds.js';

const VIEW: PageView = { brand: BRAND, window: '5m', schemeId: 'rolling:30d' };

let engine: EmbeddedClickHouse;
let queries = 0;
let isThere = true;
const running: FigureRounds[] = [];

beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
  await new ClickHouseFigureSink(engine.clickhouse).write(figureRows(10));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((rounds) => rounds.stop()));
});
afterAll(() => engine.close());

/** The engine itself, with its questions counted. */
function counted(): ClickHouse {
  const inner = engine.clickhouse;
  return {
    backend: inner.backend,
    command: (statement) => inner.command(statement),
    insert: (insert) => inner.insert(insert),
    insertEncoded: (insert) => inner.insertEncoded(insert),
    columnTypes: (table) => inner.columnTypes(table),
    query: <Row>(query: Query<Row>) => {
      queries++;
      return inner.query(query);
    },
    ping: () => inner.ping(),
    close: () => inner.close(),
  };
}

function rounds(everyMs: number): FigureRounds {
  const made = new FigureRounds({
    clickhouse: counted(),
    isThere: () => isThere,
    partitionsTotal: 2,
    everyMs,
    onBug: (error) => {
      throw error;
    },
  });
  running.push(made);
  return made;
}

function follow(followed: FigureRounds, view: PageView): Board[] {
  const boards: Board[] = [];
  followed.subscribe({ view, onBoard: (json) => boards.push(JSON.parse(json) as Board) });
  return boards;
}

const AN_HOUR_MS = 3_600_000;

describe('FigureRounds', () => {
  it('asks once for all pages of a brand', async () => {
    queries = 0;
    const alone = follow(rounds(AN_HOUR_MS), VIEW);
    await eventually(() => expect(alone).toHaveLength(1));
    const forOne = queries;
    queries = 0;
    const many = rounds(AN_HOUR_MS);
    const pages = [VIEW, VIEW, VIEW, { ...VIEW, schemeId: 'calendar:month' }].map((view) =>
      follow(many, view),
    );
    await eventually(() => expect(pages.map(({ length }) => length)).toEqual([1, 1, 1, 1]));
    expect(queries).toBe(forOne);
    expect(pages[0]).toEqual(alone);
    expect(pages[3]?.[0]?.figures[0]?.period?.scheme_id).toBe('calendar:month');
  });

  it('tells a page only what has changed', async () => {
    const boards = follow(rounds(5), VIEW);
    await eventually(() => expect(boards).toHaveLength(1));
    queries = 0;
    await eventually(() => expect(queries).toBeGreaterThan(20));
    expect(boards).toHaveLength(1);
    await new ClickHouseFigureSink(engine.clickhouse).write(figureRows(20, 44));
    await eventually(() => expect(boards.at(-1)?.figures[0]?.visitors).toBe(44));
  });

  it('asks nothing while nobody looks, or while ClickHouse is away', async () => {
    const idle = rounds(1);
    idle.start();
    queries = 0;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(queries).toBe(0);
    isThere = false;
    const boards = follow(idle, VIEW);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([queries, boards]).toEqual([0, []]);
    isThere = true;
    await eventually(() => expect(boards).toHaveLength(1));
  });
});
