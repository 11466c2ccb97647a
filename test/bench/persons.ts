/**
 * Millions of persons in one partition whose states are not all in memory, beside a few whose states are: fold,
 * join, rows and checkpoints over the real store, without a log.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LocalSchemaRegistry, RelationshipLogCodec, SchemaCatalog } from '#contracts';
import {
  defaultRules,
  DueIndex,
  Figures,
  INITIAL_FRAME,
  linkChanged,
  orderPaid,
  visited,
  type LogEntry,
  type TouchpointHead,
} from '#domain';
import { DEFAULT_RELATIONSHIP_SETTINGS, Outbox, PartitionState, type FigureSink } from '#pipeline';
import { LmdbStateStore } from '#state-store';
import { TempDir } from '../../libs/testing/temp-dir.js';
import { StateCache } from '../../libs/pipeline/state-cache.js';
import { eventsOf, personsOf, type BenchOptions } from './bench-options.js';
import type { BenchResult } from './bench-report.js';
import { collectGarbage } from './collect-garbage.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { brandSizes } from './night-events.js';
import { NIGHT_FROM, nightLog } from './night-log.js';
import { assertTruth, grossMinorOf } from './truth.js';

const PERSONS = 5_000_000;
const PERSONS_SMALL = 100_000;
const EVENTS = 1_000_000;
/** The large partition holds this part of its states in memory. */
const CACHED = 0.1;
const BATCH_RECORDS = 5_000;
/** What the first events cost is start-up, and the cache getting warm. */
const STEADY_FROM = 0.5;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const HISTORY_MS = 30 * DAY_MS;
const { dirtyStatesMax, rowsPerInsertMax } = DEFAULT_RELATIONSHIP_SETTINGS;

export async function manyPersons(options: BenchOptions): Promise<BenchResult> {
  const watch = new MachineWatch();
  const before = process.cpuUsage();
  const events = eventsOf(options, EVENTS);
  const persons = personsOf(options, PERSONS);
  const personsSmall = Math.min(persons, personsOf({ ...options, persons: null }, PERSONS_SMALL));
  const small = await measure({ persons: personsSmall, cached: personsSmall, events, seed: options.seed });
  const large = await measure({ persons, cached: Math.ceil(persons * CACHED), events, seed: options.seed });
  const unit = 'events/CPU-s';
  const lone = { floor: null };
  return {
    part: 'persons',
    settings: { persons, cached: Math.ceil(persons * CACHED), events, seed: options.seed },
    measures: [
      { what: `${personsSmall} persons, all in memory`, unit, value: small.rate, floor: small.rate },
      {
        what: `${persons} persons, a tenth in memory`,
        ...{ unit, value: large.rate, floor: small.rate },
        target: { atLeast: small.rate / 2 },
      },
      { what: 'the same by the clock', unit: 'events/s', value: large.wallRate, floor: small.wallRate },
      { what: 'in memory, of a person whose state is there', unit: 'bytes', value: small.heapBytes, ...lone },
      {
        what: 'in memory, of any other person',
        unit: 'bytes',
        value: large.heapBytesOfOthers(small),
        ...lone,
      },
      { what: 'in the store, of a person', unit: 'bytes', value: large.storeBytes, ...lone },
    ],
    checks: [`GMV of the night by the stocks, and ${persons} persons in the store`],
    surroundings: watch.end(cpuSeconds(before)),
  };
}

interface Size {
  readonly persons: number;
  readonly cached: number;
  readonly events: number;
  readonly seed: number;
}

interface Measured {
  readonly rate: number;
  readonly wallRate: number;
  /** Heap per person, whoever is in memory. */
  readonly heapBytes: number;
  readonly storeBytes: number;
  heapBytesOfOthers(known: Pick<Measured, 'heapBytes'>): number;
}

async function measure(size: Size): Promise<Measured> {
  const { persons, cached, events, seed } = size;
  const directory = new TempDir('bench-persons');
  const stores = LmdbStateStore.open({ path: directory.join('state') });
  try {
    const codec = await RelationshipLogCodec.open(new LocalSchemaRegistry(), SchemaCatalog.load());
    const log = nightLog(codec, { persons, events, seed });
    collectGarbage();
    const heapBefore = process.memoryUsage().heapUsed;
    const partition = new BenchPartition(stores, cached);
    await partition.fold(opening());
    for (const entries of history(persons)) await partition.fold(entries);
    const paidBefore = partition.grossMinor();

    const from = Math.floor((log.records.length * STEADY_FROM) / BATCH_RECORDS) * BATCH_RECORDS;
    let cpu = process.cpuUsage();
    let wall = performance.now();
    for (let at = 0; at < log.records.length; at += BATCH_RECORDS) {
      if (at === from) {
        cpu = process.cpuUsage();
        wall = performance.now();
      }
      const batch = log.records.batch(at, at + BATCH_RECORDS);
      await partition.fold(batch.map((value) => codec.decode(value)));
    }
    const measured = log.events * (1 - from / log.records.length);
    const rate = measured / cpuSeconds(cpu);
    const wallRate = (measured * 1_000) / (performance.now() - wall);
    assertTruth('GMV of the stocks', partition.grossMinor() - paidBefore, log.paidMinor);
    await partition.checkpoint();
    collectGarbage();
    const heap = process.memoryUsage().heapUsed - heapBefore;
    const stored = partition.storedPersons();
    assertTruth('persons in the store', stored, persons);
    const storeBytes = statSync(join(directory.path, 'state', 'data.mdb')).size / persons;
    const heapBytesOfOthers = (known: Pick<Measured, 'heapBytes'>): number =>
      (heap - cached * known.heapBytes) / (persons - cached);
    return { rate, wallRate, heapBytes: heap / persons, storeBytes, heapBytesOfOthers };
  } finally {
    stores.close();
    directory.remove();
  }
}

const NOWHERE: FigureSink = { write: () => Promise.resolve() };

/** A partition as the service holds it, at full speed: rows and a checkpoint for every so many changed persons. */
class BenchPartition {
  readonly #state: PartitionState;
  readonly #cache: StateCache;
  readonly #figures = Figures.empty();
  readonly #store;
  #offset = 0;

  constructor(stores: LmdbStateStore, cached: number) {
    this.#store = stores.open(0);
    this.#cache = new StateCache(this.#store, cached);
    this.#state = new PartitionState({
      partition: 0,
      store: this.#store,
      cache: this.#cache,
      dues: new DueIndex(),
      figures: this.#figures,
      outbox: new Outbox(),
      frame: INITIAL_FRAME,
      position: 0,
      mutedTo: 0,
      lastApplied: null,
    });
  }

  async fold(entries: readonly LogEntry[]): Promise<void> {
    const fold = this.#state.beginFold();
    for (const entry of entries) fold.apply(entry, this.#offset++);
    this.#state.join(fold.result(), this.#offset, undefined);
    if (this.#cache.dirtyCount >= dirtyStatesMax) await this.checkpoint();
  }

  async checkpoint(): Promise<void> {
    this.#state.flush(true);
    while (this.#state.outbox.size > 0) await this.#state.outbox.pump(NOWHERE, rowsPerInsertMax, Date.now);
    this.#state.checkpoint();
  }

  grossMinor(): number {
    return grossMinorOf(this.#figures);
  }

  storedPersons(): number {
    let count = 0;
    for (const _ of this.#store.states()) count++;
    return count;
  }
}

function opening(): readonly LogEntry[] {
  return [
    { type: 'epochRaised', epoch: 1, generation: 1, logId: 'bench', arrivedAt: 0 },
    { type: 'rulesSet', rulesJson: JSON.stringify(defaultRules()), arrivedAt: 0 },
  ];
}

/** Everybody came once within the month before the night; two of three are in relation, one of ten has bought. */
function* history(persons: number): Generator<readonly LogEntry[]> {
  const brands = brandSizes(persons);
  let entries: LogEntry[] = [];
  let nth = 0;
  let tickAt = NIGHT_FROM - HISTORY_MS;
  for (const { brand, persons: ofBrand } of brands) {
    for (let index = 0; index < ofBrand; index++) {
      const at = NIGHT_FROM - HISTORY_MS + Math.floor((nth / persons) * HISTORY_MS);
      for (; tickAt <= at; tickAt += HOUR_MS) entries.push({ type: 'tick', at: tickAt, arrivedAt: tickAt });
      const head = headOf(brand, index, nth, at);
      entries.push(visited(head, VISIT));
      if (nth % 3 !== 0) entries.push(linkChanged({ ...head, eventId: `l${nth}` }, LINK));
      if (nth % 10 === 7) entries.push(orderPaid({ ...head, eventId: `o${nth}` }, orderOf(nth)));
      nth += 1;
      if (entries.length < BATCH_RECORDS) continue;
      yield entries;
      entries = [];
    }
  }
  yield entries;
}

const VISIT = {
  surface: 'PAGE',
  ...{ publicDomain: false, paid: false, dwellMs: null, itemId: null, roomId: null, shareId: null },
} as const;
const LINK = { link: 'SHOP_FAN', on: true, groupKind: null, inviter: null } as const;

function orderOf(nth: number) {
  const amounts = { amountMinor: 1_000 + (nth % 50_000), presaleBalance: false, quantity: 1 };
  return { orderId: `o-${nth}`, lineId: '1', ...amounts, itemId: null, shareId: null };
}

function headOf(brand: string, index: number, nth: number, at: number): TouchpointHead {
  return {
    eventId: `v${nth}`,
    brand,
    person: `${brand}-${index}`,
    guest: false,
    channel: 'shop',
    at,
    arrivedAt: at,
    clockShiftMs: 0,
    contentHash: nth,
    origin: 'LIVE',
    entrySource: null,
    campaign: null,
    staffOrBot: false,
  };
}
