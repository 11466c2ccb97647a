/** `gravity snapshots list|verify`: what is in GRAVITY_SNAPSHOT_DIR, and whether it is whole. */
import { Command, Option } from 'commander';
import { FOLD_VERSION } from '#domain';
import {
  snapshotBytes,
  snapshotEntries,
  SnapshotTornError,
  type ListedSnapshot,
  type SnapshotManifest,
  type SnapshotStore,
} from '#pipeline';
import { SnapshotDirectory } from '#state-store';
import { cliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { CliError, usageError } from '../exit-codes.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';

interface SnapshotFlags {
  readonly dir?: string;
  readonly format: OutputFormat;
}

const COLUMNS = ['snapshot', 'taken_at', 'offset', 'bytes', 'fold_version', 'log', 'state'];

export function snapshotsCommand(io: CliIo): Command {
  const snapshots = new Command('snapshots').description(
    'snapshots of the local store (GRAVITY_SNAPSHOT_DIR)',
  );
  const command = (name: string, description: string): Command =>
    snapshots
      .command(name)
      .description(description)
      .option('--dir <folder>', 'instead of GRAVITY_SNAPSHOT_DIR')
      .addOption(new Option('--format <format>', 'of the result').choices(OUTPUT_FORMATS).default('table'));
  command('list', 'what is there, by partition and offset, without reading the entries').action(
    (flags: SnapshotFlags) => list(flags, io),
  );
  command('verify', 'read all of it; 1 is the exit code where one is torn').action((flags: SnapshotFlags) =>
    verify(flags, io),
  );
  return snapshots;
}

async function list(flags: SnapshotFlags, io: CliIo): Promise<void> {
  const rows = (await listed(placeOf(flags, io))).map((one) => rowOf(one, stateOf(one)));
  for (const piece of formatRows(COLUMNS, rows, flags.format)) io.out(piece);
}

async function verify(flags: SnapshotFlags, io: CliIo): Promise<void> {
  const store = placeOf(flags, io);
  const rows: Row[] = [];
  let torn = 0;
  for (const one of await listed(store)) {
    io.signal.throwIfAborted();
    const fault = one.manifest === null ? one.fault : await faultOf(one.manifest, store);
    if (fault !== null) torn += 1;
    rows.push(rowOf(one, fault === null ? stateOf(one) : `torn: ${fault}`));
  }
  for (const piece of formatRows(COLUMNS, rows, flags.format)) io.out(piece);
  if (torn > 0)
    throw new CliError(`${torn} of ${rows.length} snapshots are torn: a restore passes them over`);
}

async function faultOf(manifest: SnapshotManifest, store: SnapshotStore): Promise<string | null> {
  const entries = snapshotEntries(manifest, store);
  try {
    while ((await entries.next()).done !== true);
    return null;
  } catch (error) {
    if (error instanceof SnapshotTornError) return error.message;
    throw error;
  }
}

/** @throws CliError (usage) where no directory is named */
function placeOf({ dir }: SnapshotFlags, io: CliIo): SnapshotStore {
  const place = dir ?? cliConfig(io, {}).snapshotDir;
  if (place === undefined) throw usageError('name the folder: --dir, or GRAVITY_SNAPSHOT_DIR');
  return new SnapshotDirectory(place);
}

async function listed(store: SnapshotStore): Promise<readonly ListedSnapshot[]> {
  const all = await store.list(null);
  return [...all].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function stateOf({ manifest }: ListedSnapshot): string {
  if (manifest === null) return 'torn';
  return manifest.checkpoint.foldVersion === FOLD_VERSION ? 'ok' : 'of another release';
}

function rowOf({ id, manifest }: ListedSnapshot, state: string): Row {
  return {
    snapshot: id,
    taken_at: manifest === null ? null : new Date(manifest.takenAt).toISOString(),
    offset: manifest?.checkpoint.offset ?? null,
    bytes: manifest === null ? null : snapshotBytes(manifest),
    fold_version: manifest?.checkpoint.foldVersion ?? null,
    log: manifest?.checkpoint.logId ?? null,
    state,
  };
}
