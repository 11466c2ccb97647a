/** Dead letters judged once more, by the code of today; what has become an event goes to the relationship log. */
import { createHash } from 'node:crypto';
import type { RejectReason, SourcePosition, Touchpoint } from '#domain';
import type { StoredDeadLetter } from './codecs.js';
import { judge, type Judgement, type JudgementPorts } from './intake-batch.js';
import type { Log, OutgoingRecord } from './log.js';
import { TOPICS } from './topics.js';

export interface ReplayLettersPorts extends JudgementPorts {
  readonly log: Log;
  /** Those whose records the codec can read. */
  readonly sourceTopics: ReadonlySet<string>;
}

/** What has become of a letter. */
export type LetterOutcome =
  /** It is an event now, and in the log (or, of a dry run, would be). */
  | { readonly outcome: 'replayed' }
  /** It is in the log since an earlier replay. */
  | { readonly outcome: 'known' }
  /** It is no event still. */
  | { readonly outcome: 'refused'; readonly reason: RejectReason; readonly detail: string }
  /** Of its bytes only the beginning was kept, and its source has lost the rest. */
  | { readonly outcome: 'cut' }
  /** It came from no source topic: a row of a recorded file. */
  | { readonly outcome: 'recorded' };

export type ReplayedLetter = LetterOutcome & { readonly letter: StoredDeadLetter };

export interface ReplayLettersOptions {
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly onProgress?: (progress: { readonly records: number; readonly total: number }) => void;
}

/** The name under which replays exclude one another. */
const REPLAY_GROUP = 'dead-letter-replay';
const RECORDS_PER_COMMIT = 1_000;

/**
 * A letter is judged with the arrival that its record had, so that its event is the one it would have been then:
 * same id, same time, same bytes, however often it is replayed. Those that the log holds already are left out, and
 * one replay at a time writes: a later one fences it.
 *
 * @returns one outcome a letter, in their order
 * @throws RegistryUnavailableError   nothing was judged
 * @throws OwnershipLostError         another replay has begun; what this one has written is in the log
 * @throws CommitUnknownError | CommitAbortedError   replay again: what went through is known then
 */
export async function replayLetters(
  letters: readonly StoredDeadLetter[],
  ports: ReplayLettersPorts,
  { dryRun, onProgress }: ReplayLettersOptions,
): Promise<readonly ReplayedLetter[]> {
  const judged = await judgeLetters(letters, ports);
  const accepted = judged.filter((one) => entryKeyOf(one) !== null);
  const wanted = new Set(judged.flatMap((one) => entryKeyOf(one) ?? []));
  if (accepted.length === 0) return judged.map((one) => outcomeOf(one, new Set()));
  if (dryRun) {
    const known = await knownEntries(wanted, ports, onProgress);
    return judged.map((one) => outcomeOf(one, known));
  }
  const writer = await ports.log.writer(REPLAY_GROUP, { topic: TOPICS.deadLetters, partition: 0 });
  try {
    // What an earlier replay has committed may stand behind a transaction that is open still.
    await ports.log.settled(TOPICS.relationshipLog);
    const known = await knownEntries(wanted, ports, onProgress);
    const records = [...newRecords(judged, known)];
    for (let from = 0; from < records.length; from += RECORDS_PER_COMMIT) {
      await writer.commit({ records: records.slice(from, from + RECORDS_PER_COMMIT), positions: [] });
    }
    return judged.map((one) => outcomeOf(one, known));
  } finally {
    await writer.close();
  }
}

interface JudgedLetter {
  readonly letter: StoredDeadLetter;
  readonly judgement: Judgement | 'cut' | 'recorded';
}

async function judgeLetters(
  letters: readonly StoredDeadLetter[],
  ports: ReplayLettersPorts,
): Promise<readonly JudgedLetter[]> {
  const judged: JudgedLetter[] = [];
  for (const letter of letters) {
    if (!ports.sourceTopics.has(letter.source.topic)) {
      judged.push({ letter, judgement: 'recorded' });
      continue;
    }
    const value = await wholeValue(letter, ports.log);
    if (value === undefined) {
      judged.push({ letter, judgement: 'cut' });
      continue;
    }
    await ports.sourceCodec.prepare([value]);
    judged.push({ letter, judgement: judge(letter.source, { value, timestamp: letter.arrivedAt }, ports) });
  }
  return judged;
}

/** As it was received; undefined where only a part of it is left. */
export async function wholeValue(
  { source, value, sizeBytes, sha256 }: StoredDeadLetter,
  log: Pick<Log, 'ends' | 'read'>,
): Promise<Buffer | null | undefined> {
  if ((value?.length ?? 0) === sizeBytes) return value;
  const ends = (await log.ends(source.topic)).find(({ partition }) => partition === source.partition);
  if (ends === undefined || source.offset < ends.start || source.offset >= ends.end) return undefined;
  for await (const { records } of log.read(source, source.offset, source.offset + 1)) {
    for (const record of records) {
      if (record.offset !== source.offset || record.value === null) continue;
      if (createHash('sha256').update(record.value).digest('hex') === sha256)
        return Buffer.from(record.value);
    }
  }
  return undefined;
}

/** Which of these entries the log holds. */
async function knownEntries(
  wanted: ReadonlySet<string>,
  { log, logCodec }: ReplayLettersPorts,
  onProgress: ReplayLettersOptions['onProgress'],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  const ends = await log.ends(TOPICS.relationshipLog);
  const total = ends.reduce((sum, { start, end }) => sum + end - start, 0);
  let records = 0;
  for (const { partition, start, end } of ends) {
    for await (const batch of log.read({ topic: TOPICS.relationshipLog, partition }, start, end)) {
      for (const { value } of batch.records) {
        const { entry, source } = logCodec.decodeDetailed(value);
        if (source === null || !('contentHash' in entry)) continue;
        const key = entryKey(source, entry);
        if (wanted.has(key)) known.add(key);
      }
      records += batch.records.length;
      onProgress?.({ records, total });
    }
  }
  return known;
}

function* newRecords(judged: readonly JudgedLetter[], known: ReadonlySet<string>): Generator<OutgoingRecord> {
  const written = new Set(known);
  for (const one of judged) {
    const { judgement } = one;
    const key = entryKeyOf(one);
    if (key === null || typeof judgement === 'string' || !judgement.ok || written.has(key)) continue;
    written.add(key);
    yield judgement.record;
  }
}

function outcomeOf(one: JudgedLetter, known: ReadonlySet<string>): ReplayedLetter {
  const { letter, judgement } = one;
  if (typeof judgement === 'string') return { letter, outcome: judgement };
  if (!judgement.ok)
    return { letter, outcome: 'refused', reason: judgement.reason, detail: judgement.detail };
  return { letter, outcome: known.has(entryKeyOf(one) ?? '') ? 'known' : 'replayed' };
}

function entryKeyOf({ letter, judgement }: JudgedLetter): string | null {
  if (typeof judgement === 'string' || !judgement.ok) return null;
  return entryKey(letter.source, judgement.touchpoint);
}

/** Where it was read and what it says: positions alone come again where a topic was made anew. */
function entryKey({ topic, partition, offset }: SourcePosition, touchpoint: Touchpoint): string {
  return `${topic}/${partition}/${offset} ${touchpoint.eventId} ${touchpoint.contentHash}`;
}
