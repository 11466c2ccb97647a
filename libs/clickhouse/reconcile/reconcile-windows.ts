/** Live window figures held against a recount of the raw facts, at a sample of closed ends. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { firstWholeEnd, heartbeats, type Heartbeats } from '../queries/window-figures.js';
import { differs, endsAtOnce, heldAgainst, overPartitions } from '../recount/held-against.js';
import { differenceAt, type WindowDrift } from './difference-at.js';
import { unexplainedEnds } from './explained-by-ledger.js';

export interface WindowSample {
  readonly brand: string;
  /** Without `all`, which is compared too. */
  readonly channels: readonly string[];
  readonly window: Pick<WindowSpec, 'id' | 'widthMs' | 'slideMs'>;
  /** How many ends at most: the newest closed one, and others spread over all there are. */
  readonly endsMax: number;
  /** In [0, 1): where the others lie. The same ends for the same figure. */
  readonly offset: number;
  /** Only ends up to this instant, ms: the same ends again, some time later. Absent: all that are closed. */
  readonly until?: number;
  /** Ends before this instant (ms) need not have rows: fine windows far back. Absent: all that are closed have. */
  readonly rowsFrom?: number;
}

export interface WindowReconciliation {
  /** Ends, each of them in every channel. */
  readonly ends: number;
  readonly compared: number;
  /** (end, channel) pairs that differ by what came too late for them, as the ledger names it, or was imported. */
  readonly late: number;
  readonly drifts: readonly WindowDrift[];
}

/** Neighbours are recounted together: a query takes longer to be understood than to count one end or five. */
const NEIGHBOURS = 5;
/** How many blocks of neighbours at least, where many ends are compared, and not all. */
const BLOCKS = 20;

/** @param onEnd   told after each end, or block of them, how many are done, and how many there are */
export async function reconcileWindow(
  clickhouse: ClickHouse,
  sample: WindowSample,
  onEnd: (done: number, of: number) => void = () => undefined,
): Promise<WindowReconciliation> {
  const { window, channels } = sample;
  const beats = await heartbeats(clickhouse, window.id);
  if (beats === null) return { ends: 0, compared: 0, late: 0, drifts: [] };
  const span = await comparableEnds(clickhouse, sample, beats);
  const blocks = await sampledBlocks(clickhouse, sample, span);
  const of = blocks.reduce((sum, { ends }) => sum + ends, 0);
  const drifts: WindowDrift[] = [];
  let late = 0;
  let done = 0;
  for (const block of blocks) {
    const suspects = await suspectsIn(clickhouse, sample, beats, block);
    late += suspects.late;
    for (const { channel, end } of suspects.left) {
      const found = await differenceAt(clickhouse, sample, beats, channel, end);
      if (found.isLate) late += 1;
      drifts.push(...found.drifts);
    }
    onEnd((done += block.ends), of);
  }
  return { ends: of, compared: of * (channels.length + 1), late, drifts };
}

/** Ends from `first` (ms) on, one slide apart. */
interface Block {
  readonly first: number;
  readonly ends: number;
}

interface Suspects {
  /** Explained by the late ledger. */
  readonly late: number;
  /** To be looked at one by one. */
  readonly left: readonly { readonly channel: string; readonly end: number }[];
}

/** What differs in a block, and is not explained. */
async function suspectsIn(
  clickhouse: ClickHouse,
  { brand, window }: WindowSample,
  { generation }: Heartbeats,
  block: Block,
): Promise<Suspects> {
  const rows = await heldAgainst(clickhouse, { brand, window }, { ...block, generation });
  const differing = overPartitions(rows).filter(differs);
  const left = await unexplainedEnds(clickhouse, { brand, window, generation, differing });
  return { late: differing.length - left.length, left };
}

/** Closed ends with rows whose whole window lies behind the first tick. */
async function comparableEnds(
  clickhouse: ClickHouse,
  { brand, window, until, rowsFrom }: WindowSample,
  beats: Heartbeats,
): Promise<Block> {
  const { slideMs } = window;
  const closed = Math.min(...beats.closed.values());
  const last = Math.min(closed, Math.floor((until ?? closed) / slideMs) * slideMs);
  const whole = await firstWholeEnd(clickhouse, { brand, window, generation: beats.generation });
  if (whole === null) return { first: 0, ends: 0 };
  const first = Math.max(whole, Math.ceil((rowsFrom ?? whole) / slideMs) * slideMs);
  return { first, ends: Math.max(0, Math.floor((last - first) / slideMs) + 1) };
}

/** The newest one first. */
async function sampledBlocks(
  clickhouse: ClickHouse,
  { brand, window: { slideMs }, endsMax, offset }: WindowSample,
  { first, ends: total }: Block,
): Promise<readonly Block[]> {
  const atOnce = await endsAtOnce(clickhouse, brand);
  const size =
    total <= endsMax ? atOnce : Math.min(atOnce, Math.max(NEIGHBOURS, Math.ceil(endsMax / BLOCKS)));
  // Numbers of ends, counted back from the newest one.
  const bound = Math.min(total, endsMax);
  const count = Math.ceil(bound / size);
  const stride = total <= endsMax ? size : (total - size) / Math.max(1, count - 1);
  const starts = Array.from({ length: count }, (_, n) =>
    n === 0 || total <= endsMax ? n * size : Math.min(total - size, Math.floor((n - offset) * stride)),
  );
  return [...new Set(starts)].map((start) => {
    const ends = Math.min(size, total - start);
    return { first: first + (total - start - ends) * slideMs, ends };
  });
}
