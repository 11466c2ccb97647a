/** The log with what reads dead letters and judges them anew. */
import { existsSync } from 'node:fs';
import {
  DEFAULT_SOURCE_TOPIC_KINDS,
  LocalSchemaRegistry,
  SchemaCatalog,
  openCodecs,
  type Codecs,
} from '#contracts';
import { TOPICS, type Log, type ReplayLettersPorts, type StoredDeadLetter } from '#pipeline';
import { admissionLimits, pseudonymisation, pseudonymKeyFile } from '../../intake/judgement-settings.js';
import { isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { withDataDirectory } from '../data-directory.js';
import { usageError } from '../exit-codes.js';
import { openLogAlone, remoteRegistry } from '../log-access.js';
import { formatCount, ProgressLine } from '../progress-line.js';
import type { LetterFilter } from './letter-filter.js';

/** The topics whose records can be read; a letter from elsewhere is a row of a recorded file. */
export const SOURCES: ReadonlySet<string> = new Set(DEFAULT_SOURCE_TOPIC_KINDS.keys());

export class LetterLog {
  private constructor(
    private readonly config: CliConfig,
    readonly log: Log,
    readonly codecs: Codecs,
  ) {}

  /** On the embedded log only while nobody else works in the data directory. @throws CliError (locked) */
  static async use<T>(config: CliConfig, work: (letters: LetterLog) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      const letters = await LetterLog.#open(config);
      try {
        return await work(letters);
      } finally {
        await letters.log.close();
      }
    };
    return isEmbedded(config) ? withDataDirectory(config.dataDir, run) : run();
  }

  static async #open(config: CliConfig): Promise<LetterLog> {
    const catalog = SchemaCatalog.load();
    if (!isEmbedded(config)) {
      const codecs = await openCodecs(remoteRegistry(config, false), catalog);
      return new LetterLog(config, await openLogAlone(config), codecs);
    }
    const codecs = await openCodecs(new LocalSchemaRegistry(catalog), catalog);
    return new LetterLog(config, await openLogAlone(config), codecs);
  }

  /** In the order of the log. Retention (30 days) has cut off the oldest. */
  async *letters(filter: LetterFilter, io: CliIo): AsyncGenerator<StoredDeadLetter> {
    const line = new ProgressLine(io);
    let read = 0;
    try {
      for (const { partition, start, end } of await this.log.ends(TOPICS.deadLetters)) {
        for await (const { records } of this.log.read({ topic: TOPICS.deadLetters, partition }, start, end)) {
          io.signal.throwIfAborted();
          for (const { value } of records) {
            const letter = value === null ? null : this.codecs.deadLetter.decode(Buffer.from(value));
            if (letter !== null && filter(letter)) yield letter;
          }
          read += records.length;
          line.update(() => `reading dead letters: ${formatCount(read)}`);
        }
      }
    } finally {
      line.clear();
    }
  }

  /**
   * What letters are judged with: the settings have to be those of intake.
   * @throws CliError (usage)   the key of intake's pseudonyms is not there; another one would make other persons
   */
  async judgement(): Promise<ReplayLettersPorts> {
    const { config, log, codecs } = this;
    const isNamed = config.pseudonymKeyFile !== undefined || isEmbedded(config);
    if (!isNamed || !existsSync(pseudonymKeyFile(config))) {
      throw usageError(
        `GRAVITY_PSEUDONYM_KEY_FILE has to name the key of intake (${pseudonymKeyFile(config)} is ` +
          `${isNamed ? 'missing' : 'only a default'}): with another key every person would be another one`,
      );
    }
    const partitions = (await log.ends(TOPICS.relationshipLog)).length;
    return {
      log,
      sourceCodec: codecs.source,
      sourceTopics: SOURCES,
      logCodec: codecs.log,
      pseudonymise: pseudonymisation(config),
      limits: admissionLimits(config),
      partitions: { relationshipLog: partitions },
    };
  }
}
