/** `gravity schemas register | check`: our Avro schemas and the registry's. */
import { Command } from 'commander';
import { IncompatibleSchemaError, SchemaCatalog, subjectOf, type SchemaRegistry } from '#contracts';
import { cliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { CliError } from '../exit-codes.js';
import { remoteRegistry } from '../log-access.js';
import { formatRows, type Row } from '../table-output.js';

interface RegisterFlags {
  readonly dryRun?: boolean;
}

export function schemasCommand(io: CliIo): Command {
  const schemas = new Command('schemas').description(
    'the Avro schemas in the registry (SCHEMA_REGISTRY_URL)',
  );
  schemas
    .command('register')
    .description('register every version of every schema, oldest first; running it again changes nothing')
    .option('--dry-run', 'only say what would be done')
    .action((flags: RegisterFlags) =>
      flags.dryRun === true ? checkSchemas(io) : registerSchemas(remoteRegistry(cliConfig(io, {}), true), io),
    );
  schemas
    .command('check')
    .description('say which schemas are registered and which the registry would take; registers nothing')
    .action(() => checkSchemas(io));
  return schemas;
}

async function registerSchemas(registry: SchemaRegistry, io: CliIo): Promise<void> {
  const rows: Row[] = [];
  let refused = 0;
  for (const { topic, version, text } of allVersions()) {
    const subject = subjectOf(topic);
    try {
      rows.push({
        subject,
        version,
        state: 'registered',
        id: await registry.idOf(subject, text),
        detail: '',
      });
    } catch (error) {
      if (!(error instanceof IncompatibleSchemaError)) throw error;
      refused++;
      rows.push({ subject, version, state: 'refused', id: null, detail: error.message });
    }
  }
  print(rows, io);
  if (refused > 0) throw new CliError(`the registry refuses ${refused} schemas`);
}

async function checkSchemas(io: CliIo): Promise<void> {
  const registry = remoteRegistry(cliConfig(io, {}), false);
  const rows: Row[] = [];
  let refused = 0;
  for (const { topic, version, text } of allVersions()) {
    const subject = subjectOf(topic);
    const check = await registry.check(subject, text);
    if (check.state === 'incompatible') refused++;
    rows.push({
      subject,
      version,
      state: check.state,
      id: check.state === 'registered' ? check.id : null,
      detail: check.state === 'incompatible' ? check.detail : '',
    });
  }
  print(rows, io);
  if (refused > 0) throw new CliError(`the registry would refuse ${refused} schemas`);
}

function allVersions(): { readonly topic: string; readonly version: number; readonly text: string }[] {
  const catalog = SchemaCatalog.load();
  return catalog.topics().flatMap((topic) => [...catalog.versions(topic)]);
}

function print(rows: readonly Row[], io: CliIo): void {
  for (const piece of formatRows(['subject', 'version', 'state', 'id', 'detail'], rows, 'table'))
    io.out(piece);
}
