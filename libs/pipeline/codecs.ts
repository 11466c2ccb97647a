/** The codec ports: bytes on a topic to values of the domain and back. `libs/contracts` implements them. */
import type {
  LogEntry,
  Reject,
  RejectReason,
  SourcePosition,
  SourceTouchpoint,
  Tier,
  TierChanged,
  TouchpointDetail,
} from '#domain';

export type DecodedSource =
  { readonly ok: true; readonly event: SourceTouchpoint } | { readonly ok: false; readonly reject: Reject };

/** Reads source topics. Data faults are values; only an absent registry throws. */
export interface SourceCodec {
  /**
   * Asks the registry for the schema ids in `values` that are not known yet; call before `decode`.
   * @throws RegistryUnavailableError   wait and try again: nothing was judged
   */
  prepare(values: Iterable<Buffer | null>): Promise<void>;
  /** One record of a source topic whose schema id has been prepared. */
  decode(topic: string, value: Buffer | null): DecodedSource;
}

/** What is written beside a touchpoint: its details and where it was read. */
export interface EntryExtras {
  readonly detail: TouchpointDetail | null;
  readonly source: SourcePosition | null;
}

/** The value of a relationship-log record. */
export interface LogCodec {
  encode(entry: LogEntry, extras?: EntryExtras): Buffer;
  /** What the fold reads. @throws LogCorruptError  it is our own log */
  decode(value: Buffer | null): LogEntry;
  /** All of it, for the raw facts; slower. @throws LogCorruptError */
  decodeDetailed(value: Buffer | null): DetailedEntry;
}

export interface DetailedEntry extends EntryExtras {
  readonly entry: LogEntry;
}

/** A record of our own log that cannot be read: our bug or a broken disk. The partition must stop. */
export class LogCorruptError extends Error {
  override readonly name = 'LogCorruptError';
}

/** The registry cannot be asked now. Operational: wait with backoff and try again. */
export class RegistryUnavailableError extends Error {
  override readonly name = 'RegistryUnavailableError';
}

export interface KeyedValue {
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
}

/** Topic `tier-changes`, key `brand|person`. */
export interface TierChangedCodec {
  encode(fact: TierChanged): KeyedValue;
  decode(value: Buffer): TierChanged;
}

/** The latest tier of one person under one scheme, for a subscriber that starts today. */
export interface TierSnapshot {
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
  readonly periodId: string;
  readonly tier: Tier;
  /** Since when, ms. */
  readonly effectiveAt: number;
  readonly detectedAt: number;
  readonly version: bigint;
}

/** Compacted topic `tiers`, key `brand|scheme|person`. */
export interface TiersCodec {
  encode(snapshot: TierSnapshot): KeyedValue;
  decode(value: Buffer): TierSnapshot;
}

/** How far intake has read one source partition. */
export interface IntakeProgress {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read. */
  readonly nextOffset: number;
  /** Every record that arrived before this instant (ms, broker time) has been read. */
  readonly readTo: number;
  /** Largest event time admitted so far, ms; null before the first. */
  readonly eventTo: number | null;
  /** The partition was read to its end when this was written. */
  readonly caughtUp: boolean;
}

/** Compacted topic `intake-progress`, key `topic|partition`. */
export interface IntakeProgressCodec {
  encode(progress: IntakeProgress): KeyedValue;
  decode(value: Buffer): IntakeProgress;
}

/** From when on a partition of the relationship log is folded as another generation. */
export interface LogGeneration {
  readonly logId: string;
  readonly partition: number;
  readonly generation: number;
  readonly epoch: number;
  /** Offset of the first record that is published by this generation. */
  readonly position: number;
  /** Version of the fold that it was built by. */
  readonly foldVersion: number;
  /** By the clock of whoever began it, ms. */
  readonly beganAt: number;
}

/** Compacted topic `log-generations`, key `log id|partition`. */
export interface LogGenerationCodec {
  encode(generation: LogGeneration): KeyedValue;
  decode(value: Buffer): LogGeneration;
}

export interface DeadLetter {
  readonly source: SourcePosition;
  readonly arrivedAt: number;
  readonly reason: RejectReason;
  readonly detail: string;
  /** As received; cut at the limit where too long. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A dead letter as it is stored. */
export interface StoredDeadLetter extends DeadLetter {
  /** Bytes of the value as received. */
  readonly sizeBytes: number;
  /** SHA-256 (hex) of the whole value as received. */
  readonly sha256: string;
  readonly truncated: boolean;
}

/** Topic `dead-letters`, key `topic|partition`. */
export interface DeadLetterCodec {
  encode(letter: DeadLetter): KeyedValue;
  decode(value: Buffer): StoredDeadLetter;
}
