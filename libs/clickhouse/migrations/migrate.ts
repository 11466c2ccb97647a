import { messageOf } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { big, oneOf, rowOf, text } from '../row-reader.js';
import { type Migration, MigrationError, type MigrationTarget, readMigrations } from './migration-files.js';

export interface MigrateOptions extends Partial<MigrationTarget> {
  /** Holds the numbered .sql files. */
  readonly directory: string;
  /** Answers the plan and changes nothing. */
  readonly dryRun?: boolean;
  readonly now?: () => number;
}

/** `retry`: it was started before and failed, or the process died in the middle of it. */
export type MigrationAction = 'none' | 'apply' | 'retry';

export interface MigrationStep {
  readonly name: string;
  readonly checksum: string;
  readonly statements: number;
  readonly action: MigrationAction;
}

const STATES = ['started', 'applied', 'failed'] as const;
type State = (typeof STATES)[number];

interface Recorded {
  readonly checksum: string;
  readonly state: State;
}

const COLUMNS = ['name', 'sequence', 'state', 'checksum', 'detail', 'at'];
const LAST_STATE = `
  SELECT name, argMax(checksum, sequence) AS checksum, argMax(state, sequence) AS state
  FROM gravity.schema_migrations GROUP BY name`;

async function isRecording(clickhouse: ClickHouse): Promise<boolean> {
  const tables = await clickhouse.query({
    sql: "SELECT name FROM system.tables WHERE database = 'gravity' AND name = 'schema_migrations'",
    row: rowOf({ name: text }),
  });
  return tables.length > 0;
}

async function recorded(clickhouse: ClickHouse): Promise<ReadonlyMap<string, Recorded>> {
  if (!(await isRecording(clickhouse))) return new Map();
  const rows = await clickhouse.query({
    sql: LAST_STATE,
    row: rowOf({ name: text, checksum: text, state: oneOf(STATES) }),
  });
  return new Map(rows.map((row) => [row.name, row]));
}

function actionOf(migration: Migration, before: Recorded | undefined): MigrationAction {
  if (before === undefined) return 'apply';
  if (before.state !== 'applied') return 'retry';
  if (before.checksum === migration.checksum) return 'none';
  throw new MigrationError(
    `${migration.name} was applied with checksum ${before.checksum.slice(0, 12)} and is now ` +
      `${migration.checksum.slice(0, 12)}: an applied migration must not change (restore it and write a new one; ` +
      'a changed cluster or replication setting changes the text too)',
  );
}

/** Steps in order. @throws MigrationError if an applied file has changed or is missing */
function planOf(
  migrations: readonly Migration[],
  before: ReadonlyMap<string, Recorded>,
): readonly MigrationStep[] {
  const known = new Set(migrations.map(({ name }) => name));
  const missing = [...before].filter(([name, { state }]) => state === 'applied' && !known.has(name));
  if (missing.length > 0)
    throw new MigrationError(
      `applied before but not among the files: ${missing.map(([name]) => name).join(', ')} (is this an older build?)`,
    );
  return migrations.map((migration) => ({
    name: migration.name,
    checksum: migration.checksum,
    statements: migration.statements.length,
    action: actionOf(migration, before.get(migration.name)),
  }));
}

class Journal {
  #sequence = 0n;

  constructor(
    readonly clickhouse: ClickHouse,
    readonly now: () => number,
  ) {}

  async open(): Promise<void> {
    const [last] = await this.clickhouse.query({
      sql: 'SELECT max(sequence) AS sequence FROM gravity.schema_migrations',
      row: rowOf({ sequence: big }),
    });
    this.#sequence = last?.sequence ?? 0n;
  }

  async write(migration: Migration, state: State, detail = ''): Promise<void> {
    this.#sequence++;
    await this.clickhouse.insert({
      table: 'gravity.schema_migrations',
      columns: COLUMNS,
      rows: [[migration.name, String(this.#sequence), state, migration.checksum, detail, this.now()]],
    });
  }
}

async function run(clickhouse: ClickHouse, migration: Migration): Promise<void> {
  for (const [index, sql] of migration.statements.entries()) {
    try {
      await clickhouse.command({ sql });
    } catch (error) {
      const reason = messageOf(error);
      throw new MigrationError(`${migration.name}, statement ${index + 1}: ${reason}`, { cause: error });
    }
  }
}

async function apply(clickhouse: ClickHouse, journal: Journal, migration: Migration): Promise<void> {
  await journal.write(migration, 'started');
  try {
    await run(clickhouse, migration);
  } catch (error) {
    await journal.write(migration, 'failed', messageOf(error));
    throw error;
  }
  await journal.write(migration, 'applied');
}

/**
 * Applies what has not been applied, in order, and answers what it did (or would do). The first file makes the
 * journal itself, so it runs before it can be recorded; every statement can be run again, so a migration that
 * failed half way is simply run again.
 * @throws MigrationError  an applied file has changed or vanished, or a statement failed (recorded as `failed`)
 * @throws ClickHouseFailure  ClickHouse cannot be reached
 */
export async function migrate(
  clickhouse: ClickHouse,
  options: MigrateOptions,
): Promise<readonly MigrationStep[]> {
  const target = { cluster: options.cluster ?? null, replicated: options.replicated ?? false };
  const migrations = await readMigrations(options.directory, target);
  const plan = planOf(migrations, await recorded(clickhouse));
  const open = migrations.filter((_, index) => plan[index]?.action !== 'none');
  if (options.dryRun === true || open.length === 0) return plan;
  const [first] = migrations;
  if (first !== undefined && !(await isRecording(clickhouse))) await run(clickhouse, first);
  const journal = new Journal(clickhouse, options.now ?? Date.now);
  await journal.open();
  for (const migration of open) await apply(clickhouse, journal, migration);
  return plan;
}
