/** Each person's presence and links, and the figures: what the fold holds for the windows, and nothing else. */
import {
  linksChanged,
  NO_LINKS,
  NO_PRESENCE,
  recordPresence,
  WindowChanges,
  WindowFigures,
  windowGrid,
  type LinkView,
  type PersonPresence,
  type WindowContext,
  type WindowSpec,
} from '#domain';
import { ACTIVE, ENGINE_BRANDS, ENGINE_CHANNELS, LINK_OFF, LINK_ON, type EngineLoad } from './engine-load.js';

const TICK_MS = 1_000;
/** The watermark trails arrival by this much. */
const TRAIL_MS = 1_000;

export class EngineFold {
  readonly figures: WindowFigures;
  readonly #presence: PersonPresence[];
  readonly #links: LinkView[];
  readonly #contexts: WindowContext[];
  #changes: WindowChanges;
  #tickAt: number;

  constructor(
    private readonly load: EngineLoad,
    private readonly specs: readonly WindowSpec[],
  ) {
    this.figures = new WindowFigures(specs);
    this.#changes = new WindowChanges(specs);
    this.#presence = Array.from(load.brandOf, () => NO_PRESENCE);
    this.#links = Array.from(load.brandOf, () => NO_LINKS);
    this.#tickAt = load.from;
    this.#contexts = this.#contextsAt(-Infinity);
    load.linkedSince.forEach((since, person) => {
      if (!Number.isNaN(since)) this.#relink(person, LINK_ON, since);
    });
    this.#advance(load.from);
  }

  get persons(): number {
    return this.#presence.reduce((count, presence) => count + (presence === NO_PRESENCE ? 0 : 1), 0);
  }

  record(from: number, to: number): void {
    const { arrivals, instants, people, channels, kinds, brandOf } = this.load;
    for (let nth = from; nth < to; nth++) {
      const arrival = arrivals[nth] ?? 0;
      while (this.#tickAt + TICK_MS <= arrival - TRAIL_MS) this.#advance(this.#tickAt + TICK_MS);
      const person = people[nth] ?? 0;
      const at = instants[nth] ?? 0;
      const kind = kinds[nth] ?? 0;
      const ctx = this.#contexts[brandOf[person] ?? 0];
      const before = this.#presence[person];
      if (ctx === undefined || before === undefined) continue;
      if (kind >= LINK_ON) this.#relink(person, kind, at);
      const links = this.#links[person] ?? NO_LINKS;
      const channel = ENGINE_CHANNELS[channels[nth] ?? 0] ?? '';
      this.#presence[person] = recordPresence(before, channel, at, kind >= ACTIVE, links, ctx, this.#changes);
    }
  }

  /** Takes over what was recorded. */
  join(): void {
    this.figures.apply(this.#changes);
    this.#changes = new WindowChanges(this.specs);
  }

  #relink(person: number, kind: number, at: number): void {
    const before = this.#links[person] ?? NO_LINKS;
    const last = before.any.at(-1);
    const isLive = last?.to === Infinity;
    if ((kind === LINK_OFF) !== isLive) return;
    const any = isLive
      ? [...before.any.slice(0, -1), { from: last.from, to: at }]
      : [...before.any, { from: at, to: Infinity }];
    const channel = ENGINE_CHANNELS[this.load.linkChannelOf[person] ?? 0] ?? '';
    const after = { any, byChannel: [{ channel, spans: any }], reachable: null };
    const ctx = this.#contexts[this.load.brandOf[person] ?? 0];
    if (ctx !== undefined)
      linksChanged(before, after, this.#presence[person] ?? NO_PRESENCE, ctx, this.#changes);
    this.#links[person] = after;
  }

  #advance(watermark: number): void {
    this.#tickAt = watermark;
    this.#contexts.splice(0, Infinity, ...this.#contextsAt(watermark));
    this.#changes.advance(watermark);
  }

  #contextsAt(watermark: number): WindowContext[] {
    const grid = windowGrid(this.specs, watermark);
    return ENGINE_BRANDS.map((brand) => ({ grid, brand }));
  }
}
