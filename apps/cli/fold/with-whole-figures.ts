/** For commands that hold figures against raw facts: the platform, with all of the log folded and stored first. */
import type { Platform } from '#platform';
import { cliConfig, isEmbedded } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked } from '../data-directory.js';
import { openPlatform } from '../open-platform.js';
import { catchUp } from './catch-up.js';

export interface WholeFigures {
  readonly platform: Platform;
  /** Services fold beside us, so that figures move. */
  readonly isMoving: boolean;
  /** Of the embedded log; services do it themselves. */
  readonly catchUp: () => Promise<void>;
}

/**
 * @throws CliError            there is no embedded log
 * @throws CliError (locked)   somebody else has it: what he folds meanwhile would be nobody's
 */
export async function withWholeFigures(
  flags: { readonly dataDir?: string },
  io: CliIo,
  work: (figures: WholeFigures) => Promise<void>,
): Promise<void> {
  const config = cliConfig(io, flags);
  const isOurs = isEmbedded(config);
  if (isOurs) {
    assertLogExists(config.dataDir);
    assertUnlocked(config.dataDir);
  }
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    await work({
      platform,
      isMoving: !isOurs,
      catchUp: async () => {
        if (isOurs) await catchUp(platform, config, io);
      },
    });
  } finally {
    await platform.close();
  }
}
