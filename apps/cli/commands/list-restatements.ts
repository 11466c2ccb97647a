/** `gravity reopen --list`: what was restated so far. */
import { z } from 'zod';
import { restatements } from '#clickhouse';
import {
  restatementAnswer,
  restatementsAnswerSchema,
  type RestatementAnswer,
} from '../../console/figures/answer-restatements.js';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, runningHolder, type RunningHolder } from '../data-directory.js';
import { CliError } from '../exit-codes.js';
import { openPlatform } from '../open-platform.js';
import { askRunning } from '../running-api.js';
import { formatRows, type OutputFormat, type Row } from '../table-output.js';

export interface ListFlags {
  readonly dataDir?: string;
  readonly brand?: string;
  readonly limit: number;
  readonly format: OutputFormat;
}

const COLUMNS = [
  ...(['at', 'state', 'by', 'reason', 'brand', 'channel', 'window', 'scheme_id', 'from', 'to'] as const),
  ...(['ends', 'ends_changed', 'rows', 'id'] as const),
];

export async function listRestatements(flags: ListFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  const holder = isEmbedded(config) ? runningHolder(config.dataDir) : null;
  const found = holder === null ? await stored(config, flags, io) : await asked(config, holder, flags);
  if (flags.format === 'json') {
    io.out(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const rows = found.map(({ changes: _, log_positions: __, ...entry }): Row => entry);
  for (const piece of formatRows(COLUMNS, rows, flags.format)) io.out(piece);
}

async function stored(
  config: CliConfig,
  { brand = '', limit }: ListFlags,
  io: CliIo,
): Promise<readonly RestatementAnswer[]> {
  if (isEmbedded(config)) assertLogExists(config.dataDir);
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    return (await restatements(platform.clickhouse, { brand, limit })).map(restatementAnswer);
  } finally {
    await platform.close();
  }
}

async function asked(
  { dataDir }: CliConfig,
  holder: RunningHolder,
  { brand, limit }: ListFlags,
): Promise<readonly RestatementAnswer[]> {
  const query = { limit: String(limit), ...(brand === undefined ? {} : { brand }) };
  const parsed = restatementsAnswerSchema.safeParse(await askRunning(dataDir, holder, 'restatements', query));
  if (parsed.success) return parsed.data.restatements;
  throw new CliError(`the running process answers something else: ${z.prettifyError(parsed.error)}`);
}
