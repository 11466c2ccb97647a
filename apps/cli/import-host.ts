/** What an import needs around it, on the embedded log and on Kafka. */
import type { ImportTarget } from '../simulator/recorded/import-rows.js';
import { recordsOf } from '../simulator/recorded/replay-records.js';
import type { AcceptedRow } from '../simulator/recorded/row-judge.js';
import { TOPICS, type OutgoingRecord } from '#pipeline';
import type { CliConfig } from './cli-config.js';
import type { CliIo } from './cli-io.js';
import { PlatformHost } from './platform-host.js';
import type { BrandTotals, DrainProgress } from './replay-host.js';

export interface ImportHost {
  readonly target: ImportTarget;
  /** @param rows   that may be written */
  start(rows: number): Promise<void>;
  /** Resolves once everything that was written has been folded and archived, or the signal was aborted. */
  waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void>;
  /** Null where others count on meanwhile. */
  totals(brand: string): Promise<BrandTotals | null>;
  close(): Promise<void>;
}

/** In a data folder that nobody else has: this process judges, folds and archives, as in a replay. */
export class EmbeddedImportHost implements ImportHost {
  private constructor(
    private readonly host: PlatformHost,
    readonly target: ImportTarget,
  ) {}

  /** @throws CliError (locked) */
  static async open(config: CliConfig, io: CliIo): Promise<EmbeddedImportHost> {
    const host = await PlatformHost.open(config, io, false);
    const { log, logCodec, deadLetterCodec } = host.target;
    const partitions = { relationshipLog: (await log.ends(TOPICS.relationshipLog)).length, deadLetters: 1 };
    const recordOf = (accepted: AcceptedRow): OutgoingRecord => {
      const [record] = recordsOf(accepted, { logCodec, deadLetterCodec }, partitions);
      if (record === undefined) throw new Error('an accepted row is one record');
      return record;
    };
    return new EmbeddedImportHost(host, { log, logCodec, liveLag: null, recordOf });
  }

  start(rows: number): Promise<void> {
    return this.host.start(rows, false);
  }

  waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void> {
    return this.host.waitDrained(onProgress, signal);
  }

  totals(brand: string): Promise<BrandTotals> {
    return this.host.totals(brand);
  }

  close(): Promise<void> {
    return this.host.close();
  }
}
