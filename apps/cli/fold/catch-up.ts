/** Work left behind by a process that was stopped: it may have folded what it had not archived, or the other way round. */
import type { Platform } from '#platform';
import type { CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { formatCount, ProgressLine } from '../progress-line.js';
import { FoldRunner } from './fold-runner.js';

/** On the embedded log, which no other process has open. */
export async function catchUp(platform: Platform, config: CliConfig, io: CliIo): Promise<void> {
  const line = new ProgressLine(io);
  const runner = await FoldRunner.start(platform, config, { rows: 0, isWatched: false }, (warning) =>
    line.note(warning),
  );
  try {
    await runner.waitDrained(
      ({ recordsLeft, rowsLeft }) =>
        line.update(
          () => `catching up: ${formatCount(recordsLeft)} records, ${formatCount(rowsLeft)} rows left`,
        ),
      io.signal,
    );
  } finally {
    line.clear();
    await runner.stop(!io.signal.aborted);
  }
}
