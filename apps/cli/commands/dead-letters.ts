/** `gravity dead-letters`: what was no event, and what becomes of it after a fix. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RejectReason } from '#domain';
import {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  replayLetters,
  type ReplayedLetter,
  type StoredDeadLetter,
} from '#pipeline';
import { cliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import {
  hasFilter,
  letterFilter,
  oneOfThese,
  withFilterOptions,
  type FilterFlags,
} from '../dead-letters/letter-filter.js';
import { letterId, parseLetterId } from '../dead-letters/letter-id.js';
import { LetterLog } from '../dead-letters/letter-log.js';
import { shownLetter } from '../dead-letters/show-letter.js';
import { CliError, usageError } from '../exit-codes.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat } from '../table-output.js';

interface DirectoryFlags {
  readonly dataDir?: string;
}

interface ListFlags extends DirectoryFlags, FilterFlags {
  readonly limit: number;
  readonly format: OutputFormat;
}

interface ReplayFlags extends DirectoryFlags, FilterFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly format: OutputFormat;
}

const DATA_DIR = ['--data-dir <dir>', 'folder of the embedded log (default: GRAVITY_DATA_DIR or .gravity)'];
const LIST_COLUMNS = ['id', 'arrived_at', 'reason', 'bytes', 'detail'] as const;
const REPLAY_COLUMNS = ['id', 'outcome', 'reason', 'detail'] as const;
const LIMIT = 100;

const REPLAY_HELP = `
Each letter is judged as intake would judge it today, by the same settings (GRAVITY_PSEUDONYM_KEY_FILE,
GRAVITY_PSEUDONYMOUS_TOPICS, GRAVITY_EARLIEST_EVENT, GRAVITY_FUTURE_MAX, GRAVITY_CURRENCY), with the arrival that its
record had. What is an event now is appended to the relationship log, once: a second replay finds it there.

Outcomes: replayed · known (in the log since an earlier replay) · refused (no event still, with today's reason) ·
cut (only the beginning of a long record was kept, and its source topic has lost it) · recorded (a row of a file that
\`gravity replay\` has read, and no record of a topic).
Exit code 1 where a letter was not replayed and is not known.`;

export function deadLettersCommand(io: CliIo): Command {
  const command = new Command('dead-letters').description('records that were no events, and their replay');
  const [flag = '', says = ''] = DATA_DIR;
  const format = (): Option => new Option('--format <format>').choices(OUTPUT_FORMATS).default('table');
  withFilterOptions(
    command.command('list').description('what was refused, the newest last').option(flag, says),
  )
    .addOption(new Option('--limit <n>', 'the newest so many').argParser(parseLimit).default(LIMIT))
    .addOption(format())
    .action((flags: ListFlags) => list(flags, io));
  command
    .command('show')
    .description('one letter: where it came from, why it was refused, its bytes, and what they read as')
    .argument('<id>', 'TOPIC/PARTITION/OFFSET, as `list` prints it')
    .option(flag, says)
    .action((id: string, flags: DirectoryFlags) => show(id, flags, io));
  withFilterOptions(
    command
      .command('replay')
      .description('judge letters again after a fix, and take in those that are events now')
      .argument('[id...]', 'TOPIC/PARTITION/OFFSET of letters; else those that the options choose')
      .option(flag, says)
      .option('--all', 'every letter there is')
      .option('--dry-run', 'only say what would become of them'),
  )
    .addOption(format())
    .addHelpText('after', REPLAY_HELP)
    .action((ids: readonly string[], flags: ReplayFlags) => replay(ids, flags, io));
  return command;
}

async function list(flags: ListFlags, io: CliIo): Promise<void> {
  const filter = letterFilter(flags);
  await LetterLog.use(cliConfig(io, flags), async (letters) => {
    const newest: StoredDeadLetter[] = [];
    let found = 0;
    for await (const letter of letters.letters(filter, io)) {
      found += 1;
      // Of what is listed nobody sees the bytes.
      newest.push({ ...letter, key: null, value: null });
      if (newest.length > 2 * flags.limit) newest.splice(0, newest.length - flags.limit);
    }
    const rows = newest.slice(-flags.limit).map(({ source, arrivedAt, reason, sizeBytes, detail }) => ({
      id: letterId(source),
      arrived_at: new Date(arrivedAt).toISOString(),
      reason,
      bytes: sizeBytes,
      detail,
    }));
    for (const piece of formatRows(LIST_COLUMNS, rows, flags.format)) io.out(piece);
    if (found > rows.length)
      io.err(`the newest ${rows.length} of ${formatCount(found)}; --limit shows more\n`);
  });
}

async function show(id: string, flags: DirectoryFlags, io: CliIo): Promise<void> {
  const filter = oneOfThese([parseLetterId(id)]);
  await LetterLog.use(cliConfig(io, flags), async (letters) => {
    for await (const letter of letters.letters(filter, io)) {
      const ports = { log: letters.log, source: letters.codecs.source };
      for await (const piece of shownLetter(letter, ports)) io.out(piece);
      return;
    }
    throw noSuch([id]);
  });
}

async function replay(ids: readonly string[], flags: ReplayFlags, io: CliIo): Promise<void> {
  const isChosen = [ids.length > 0, hasFilter(flags), flags.all === true].filter(Boolean).length;
  if (isChosen !== 1)
    throw usageError('name letters, or choose them by --reason, --topic, --from, --to, or --all');
  const filter = ids.length > 0 ? oneOfThese(ids.map(parseLetterId)) : letterFilter(flags);
  const replayed = await LetterLog.use(cliConfig(io, flags), async (letters) => {
    const ports = await letters.judgement();
    const chosen: StoredDeadLetter[] = [];
    for await (const letter of letters.letters(filter, io)) chosen.push(letter);
    const found = new Set(chosen.map(({ source }) => letterId(source)));
    const missing = ids.filter((id) => !found.has(letterId(parseLetterId(id))));
    if (missing.length > 0) throw noSuch(missing);
    const line = new ProgressLine(io);
    try {
      return await replayLetters(chosen, ports, {
        dryRun: flags.dryRun === true,
        onProgress: ({ records, total }) => {
          io.signal.throwIfAborted();
          line.update(() => `looking for them in the log: ${percent(records, total)}`);
        },
      });
    } catch (error) {
      throw tryAgain(error);
    } finally {
      line.clear();
    }
  });
  print(replayed, flags, io);
}

function print(replayed: readonly ReplayedLetter[], flags: ReplayFlags, io: CliIo): void {
  const rows = replayed.map((one) => ({
    id: letterId(one.letter.source),
    outcome: one.outcome,
    reason: reasonOf(one),
    detail: one.outcome === 'refused' ? one.detail : '',
  }));
  for (const piece of formatRows(REPLAY_COLUMNS, rows, flags.format)) io.out(piece);
  const count = (outcome: ReplayedLetter['outcome']): string =>
    formatCount(replayed.filter((one) => one.outcome === outcome).length);
  const done = flags.dryRun === true ? 'would be replayed' : 'replayed';
  io.err(
    `${count('replayed')} ${done}, ${count('known')} known, ${count('refused')} refused, ${count('cut')} cut, ` +
      `${count('recorded')} recorded\n`,
  );
  const left = replayed.filter(({ outcome }) => outcome !== 'replayed' && outcome !== 'known').length;
  if (left > 0) throw new CliError(`${formatCount(left)} of ${replayed.length} are no events still`);
}

function reasonOf(one: ReplayedLetter): RejectReason | '' {
  return one.outcome === 'refused' ? one.reason : '';
}

/** What is in the log is found there, so that trying again is always right. */
function tryAgain(error: unknown): unknown {
  if (error instanceof OwnershipLostError)
    return new CliError('another replay has begun in the meantime; when it is done, replay again');
  if (error instanceof CommitUnknownError || error instanceof CommitAbortedError)
    return new CliError(`Kafka did not confirm all of it; replay again (${error.message})`);
  return error;
}

function noSuch(ids: readonly string[]): CliError {
  return new CliError(`there is no dead letter ${ids.join(', ')} (they are kept for 30 days)`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= 1_000_000) return limit;
  throw new InvalidArgumentError('expected a whole number from 1 to 1000000');
}
