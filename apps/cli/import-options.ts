/** Options of `gravity import` that `gravity replay` has not. */
import { type Command, Option } from 'commander';
import { parseRate, parseRecords } from './option-parsers.js';
import { type RecordedFlags, withRecordedOptions } from './replay-options.js';

export interface ImportFlags extends RecordedFlags {
  /** Records per second; Infinity for max. */
  readonly rate: number;
  readonly lagMax: number;
}

const LAG_MAX = 2_000;

export function withImportOptions(command: Command): Command {
  return withRecordedOptions(command)
    .addOption(
      new Option('--rate <records>', 'records per second at most, or max')
        .argParser(parseRate)
        .default(Infinity, 'max'),
    )
    .addOption(
      new Option(
        '--lag-max <records>',
        'on Kafka: wait while intake and relationship have more records than this to go through; half of it lets the import go faster',
      )
        .argParser(parseRecords)
        .default(LAG_MAX),
    );
}
