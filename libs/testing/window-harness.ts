/** A small fold around the window engine: it keeps each person's links itself and a table of the rows written. */
import {
  NO_LINKS,
  NO_PRESENCE,
  WindowChanges,
  WindowFigures,
  buyersChanged,
  linksChanged,
  moneyChanged,
  ByteReader,
  ByteWriter,
  readPresence,
  recordPresence,
  windowGrid,
  writePresence,
  type LinkView,
  type PersonPresence,
  type Purchase,
  type Span,
  type WindowGrid,
  type WindowRow,
  type WindowSpec,
} from '#domain';
import type { LinkEntry, MoneyEntry, WindowLogEntry } from './naive-windows.js';

interface FoldedPerson {
  readonly presence: PersonPresence;
  readonly toggles: readonly LinkEntry[];
  /** Of the toggles; one object as long as they do not change, as in the fold. */
  readonly links: LinkView;
  /** In no order: the engine asks for none. */
  readonly purchases: readonly Purchase[];
}

interface StoredPerson {
  readonly presence: Buffer;
  readonly toggles: readonly LinkEntry[];
  readonly purchases: readonly Purchase[];
}

const NOBODY: FoldedPerson = { presence: NO_PRESENCE, toggles: [], links: NO_LINKS, purchases: [] };

/** State of the fold; a batch works on its own copy, so that it can be dropped. */
interface FoldState {
  readonly grid: WindowGrid;
  readonly persons: ReadonlyMap<string, FoldedPerson>;
  /** Ids folded, for money's sake; presence and links need none, but the late count does. */
  readonly ids: ReadonlySet<string>;
}

export interface FoldedBatch {
  readonly changes: WindowChanges;
  readonly state: FoldState;
}

/** What a crash leaves: states and figures of one position. */
export interface HarnessCheckpoint {
  readonly position: number;
  readonly figures: Uint8Array;
  readonly persons: readonly (readonly [string, StoredPerson])[];
  readonly ids: ReadonlySet<string>;
}

/** One partition: folds a log batch by batch and keeps what a reader of the rows would see. */
export class WindowHarness {
  figures: WindowFigures;
  /** Entries of the log folded and applied. */
  position = 0;
  /** Last row by `rowKey`, as in the database: survives crashes. */
  readonly table = new Map<string, WindowRow>();
  readonly heartbeats = new Map<string, number>();
  private state: FoldState;

  constructor(
    readonly log: readonly WindowLogEntry[],
    readonly specs: readonly WindowSpec[],
    readonly fineRowsFrom = 0,
  ) {
    this.figures = new WindowFigures(specs, fineRowsFrom);
    this.state = { grid: windowGrid(specs, -Infinity, fineRowsFrom), persons: new Map(), ids: new Set() };
  }

  get grid(): WindowGrid {
    return this.state.grid;
  }

  presenceOf(brand: string, person: string): PersonPresence {
    return this.state.persons.get(personId(brand, person))?.presence ?? NO_PRESENCE;
  }

  /** Folds the next `count` entries without applying them: to drop the result is to have done nothing. */
  fold(count: number): FoldedBatch {
    const changes = new WindowChanges(this.specs);
    const persons = new Map(this.state.persons);
    const ids = new Set(this.state.ids);
    let grid = this.state.grid;
    for (const entry of this.log.slice(this.position, this.position + count)) {
      if (entry.type === 'tick') {
        if (entry.at <= grid.watermark) continue;
        grid = windowGrid(this.specs, entry.at, this.fineRowsFrom);
        changes.advance(entry.at);
        continue;
      }
      if (!ids.has(entry.id)) changes.countLate(entry.at, grid);
      if (entry.type === 'money') {
        if (!ids.has(entry.id)) foldMoney(entry, persons, grid, changes);
      } else {
        const key = personId(entry.brand, entry.person);
        persons.set(key, foldPerson(persons.get(key) ?? NOBODY, entry, grid, changes));
      }
      ids.add(entry.id);
    }
    return { changes, state: { grid, persons, ids } };
  }

  /** Folds and applies the next `count` entries. */
  run(count: number): FoldedBatch {
    const batch = this.fold(count);
    this.figures.apply(batch.changes);
    this.state = batch.state;
    this.position = Math.min(this.log.length, this.position + count);
    return batch;
  }

  /** Writes all rows that are due, `limit` at a time. */
  takeRows(limit?: number): readonly WindowRow[] {
    const taken: WindowRow[] = [];
    for (let more = true; more;) {
      const batch = this.figures.takeRows(undefined, limit);
      taken.push(...batch.rows);
      for (const { window, end } of batch.heartbeats) this.heartbeats.set(window, end);
      more = batch.more;
    }
    this.write(taken);
    return taken;
  }

  takeCorrections(): readonly WindowRow[] {
    const rows = this.figures.takeCorrections();
    this.write(rows);
    return rows;
  }

  checkpoint(): HarnessCheckpoint {
    const persons = [...this.state.persons].map(
      ([key, { presence, toggles, purchases }]): [string, StoredPerson] => [
        key,
        { presence: storedPresence(presence), toggles, purchases },
      ],
    );
    return {
      position: this.position,
      figures: this.figures.snapshot(),
      persons,
      ids: this.state.ids,
    };
  }

  /** Loses everything but `saved` and the rows written, and folds again to where it was. */
  crash(saved: HarnessCheckpoint): void {
    const reached = this.position;
    this.figures = WindowFigures.restore(saved.figures, this.specs);
    this.position = saved.position;
    this.state = {
      grid: windowGrid(this.specs, this.figures.watermark, this.fineRowsFrom),
      persons: new Map(
        saved.persons.map(([key, { presence, toggles, purchases }]) => [
          key,
          {
            presence: readPresence(new ByteReader(presence, 0)),
            toggles,
            links: linkViewOf(toggles),
            purchases,
          },
        ]),
      ),
      ids: saved.ids,
    };
    this.run(reached - this.position);
    this.figures.recovered();
  }

  private write(rows: readonly WindowRow[]): void {
    for (const row of rows) this.table.set(rowKey(row.brand, row.channel, row.window, row.end), row);
  }
}

export function rowKey(brand: string, channel: string, window: string, end: number): string {
  return `${brand}|${channel}|${window}|${end}`;
}

function personId(brand: string, person: string): string {
  return `${brand}|${person}`;
}

function foldMoney(
  entry: MoneyEntry,
  persons: Map<string, FoldedPerson>,
  grid: WindowGrid,
  out: WindowChanges,
): void {
  const ctx = { grid, brand: entry.brand };
  moneyChanged(entry, ctx, out);
  if (entry.person === null || entry.orders === 0) return;
  const key = personId(entry.brand, entry.person);
  const before = persons.get(key) ?? NOBODY;
  const purchases = [...before.purchases, { paidAt: entry.at, channel: entry.channel }];
  buyersChanged(before.purchases, purchases, ctx, out);
  persons.set(key, { ...before, purchases });
}

function foldPerson(
  before: FoldedPerson,
  entry: Exclude<WindowLogEntry, { type: 'tick' | 'money' }>,
  grid: WindowGrid,
  out: WindowChanges,
): FoldedPerson {
  const ctx = { grid, brand: entry.brand };
  if (entry.type === 'seen') {
    const { links } = before;
    const presence = recordPresence(before.presence, entry.channel, entry.at, entry.active, links, ctx, out);
    return { ...before, presence };
  }
  if (before.toggles.some((toggle) => toggle.id === entry.id)) return before;
  const toggles = [...before.toggles, entry];
  const links = linkViewOf(toggles);
  linksChanged(before.links, links, before.presence, ctx, out);
  return { ...before, toggles, links };
}

/** As a link it says, off, that messages in its channel are declined. */
const REACH = 'REACH';

/** Live spans of a person's toggles; of two at one instant the smaller id comes first. */
export function linkViewOf(toggles: readonly LinkEntry[]): LinkView {
  if (toggles.length === 0) return NO_LINKS;
  const inOrder = [...toggles].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const sorted = inOrder.filter(({ link }) => link !== REACH);
  const reach = inOrder.filter(({ link }) => link === REACH);
  const channels = [...new Set(sorted.map(({ channel }) => channel))].sort();
  const byChannel = channels.map((channel) => {
    const here = sorted.filter((toggle) => toggle.channel === channel);
    const kinds = [...new Set(here.map(({ link }) => link))];
    return {
      channel,
      spans: union(kinds.flatMap((kind) => spansOf(here.filter(({ link }) => link === kind)))),
    };
  });
  const reachable = channels.map((channel) => {
    const own = byChannel.find((of) => of.channel === channel)?.spans ?? [];
    const declined = spansOf(
      reach.filter((of) => of.channel === channel).map((of) => ({ ...of, on: !of.on })),
    );
    return { channel, spans: minus(own, declined) };
  });
  return {
    any: union(byChannel.flatMap(({ spans }) => spans)),
    byChannel,
    reachable:
      reach.length === 0 ? null : { any: union(reachable.flatMap((of) => of.spans)), byChannel: reachable },
  };
}

function spansOf(toggles: readonly LinkEntry[]): readonly Span[] {
  const spans: Span[] = [];
  let since: number | undefined;
  for (const { at, on } of toggles) {
    if (on) since ??= at;
    else if (since !== undefined) {
      if (since < at) spans.push({ from: since, to: at });
      since = undefined;
    }
  }
  return since === undefined ? spans : [...spans, { from: since, to: Infinity }];
}

function union(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined[joined.length - 1];
    if (last === undefined || span.from > last.to) joined.push(span);
    else if (span.to > last.to) joined[joined.length - 1] = { from: last.from, to: span.to };
  }
  return joined;
}

function minus(spans: readonly Span[], taken: readonly Span[]): readonly Span[] {
  return taken.reduce<readonly Span[]>(
    (left, { from, to }) =>
      left.flatMap((span) => [
        ...(span.from < Math.min(span.to, from) ? [{ from: span.from, to: Math.min(span.to, from) }] : []),
        ...(Math.max(span.from, to) < span.to ? [{ from: Math.max(span.from, to), to: span.to }] : []),
      ]),
    spans,
  );
}

function storedPresence(presence: PersonPresence): Buffer {
  const out = new ByteWriter();
  out.start(0);
  writePresence(out, presence);
  return out.end();
}
