import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What a lib may import besides itself. Whoever adds a lib adds its line, and the reason to ARCHITECTURE.md. */
const ADAPTERS = ['contracts', 'kafka', 'embedded-log', 'state-store', 'clickhouse'];
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  pipeline: ['domain'],
  ...Object.fromEntries(ADAPTERS.map((lib) => [lib, ['domain', 'pipeline']])),
  transport: ['domain', 'pipeline'],
  runtime: ['domain', 'pipeline'],
  service: ['domain', 'pipeline', 'runtime', 'platform', 'state-store'],
  'data-folder': ['domain', 'pipeline', ...ADAPTERS],
  platform: ['domain', 'pipeline', 'runtime', 'data-folder', ...ADAPTERS],
  testing: ['domain', 'pipeline', ...ADAPTERS],
};
/** Third-party packages that only these places may import. */
const ONLY_IN: Record<string, readonly string[]> = {
  kafkajs: ['libs/kafka'],
  '@kafkajs/confluent-schema-registry': ['libs/contracts'],
  avsc: ['libs/contracts'],
  lmdb: ['libs/embedded-log', 'libs/state-store'],
  chdb: ['libs/clickhouse'],
  '@clickhouse/client': ['libs/clickhouse'],
  pino: ['libs/runtime'],
  'prom-client': ['libs/runtime'],
  '@nestjs/': ['apps', 'libs/transport', 'libs/service'],
};
/** standalone and cli compose the modules of the other apps. */
const COMPOSERS = ['standalone', 'cli'];
const DOMAIN_BANS: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, 'take the instant from the record or the tick'],
  [/\bnew Date\(\s*\)/, 'take the instant from the record or the tick'],
  [/\bMath\.random\b/, 'decide it at intake and write it down'],
  [/\bprocess\.(env|hrtime|cwd)\b/, 'pass Rules'],
  [/\bperformance\.now\b/, 'measure outside, around the call'],
  [/\bawait\b|\basync\b/, 'read before the fold, write after it'],
  [/\bconsole\./, 'return it in the result'],
];
const LINES_MAX = 400;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
  readonly test: boolean;
}

function sourceFiles(directory: string): SourceFile[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.d\.ts$/.test(entry.name))
    .map((entry) => {
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      const text = readFileSync(join(ROOT, path), 'utf8');
      return {
        path,
        text,
        imports: importsOf(text),
        test: /\.spec\.ts$/.test(path) || path.startsWith('test/'),
      };
    });
}

function importsOf(text: string): string[] {
  const found = text.matchAll(
    /^(?:import|export)\b[^;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

function placeOf(path: string): { readonly kind: string; readonly name: string } {
  const [kind = '', name = ''] = path.split('/');
  return { kind, name };
}

const files = ['apps', 'libs', 'test'].flatMap(sourceFiles);
const production = files.filter(({ test, path }) => !test && !path.startsWith('libs/testing/'));

/** Resolves a relative import to a file of this tree. */
function target(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `libs/${specifier.slice(1)}/index.ts`;
  if (!specifier.startsWith('.')) return undefined;
  return relative(ROOT, resolve(ROOT, dirname(file.path), specifier)).replace(/\.js$/, '.ts');
}

describe('architecture', () => {
  it('sees the source', () => {
    expect(production.length).toBeGreaterThan(50);
  });

  it('imports one way: apps → service, transport → platform → adapters → pipeline → domain → nothing', () => {
    const violations: string[] = [];
    for (const file of production) {
      const from = placeOf(file.path);
      for (const specifier of file.imports) {
        const path = target(file, specifier);
        if (path === undefined) continue;
        const to = placeOf(path);
        if (to.kind === from.kind && to.name === from.name) continue;
        const allowed =
          from.kind === 'apps'
            ? to.kind === 'libs'
              ? to.name !== 'testing'
              : COMPOSERS.includes(from.name)
            : to.kind === 'libs' && (MAY_IMPORT[from.name] ?? []).includes(to.name);
        if (!allowed) violations.push(`${file.path} imports ${specifier}`);
        if (to.kind === 'libs' && !specifier.startsWith('#')) {
          violations.push(`${file.path} reaches into ${path}: import #${to.name}`);
        }
      }
    }
    expect(violations).toEqual([]);
  });

  it('keeps a third-party package behind the lib that exists for it', () => {
    const violations = production.flatMap((file) =>
      file.imports
        .filter((specifier) =>
          Object.entries(ONLY_IN).some(
            ([name, places]) =>
              (specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`)) &&
              !places.some((place) => file.path.startsWith(`${place}/`)),
          ),
        )
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(violations).toEqual([]);
  });

  it('has a domain that imports nothing', () => {
    const violations = production
      .filter(({ path }) => path.startsWith('libs/domain/'))
      .flatMap(({ path, imports }) =>
        imports.filter((one) => !one.startsWith('.')).map((one) => `${path}: ${one}`),
      );
    expect(violations).toEqual([]);
  });

  it.each(DOMAIN_BANS)('has no %s in the domain: %s', (ban, instead) => {
    const violations = production
      .filter(({ path, text }) => path.startsWith('libs/domain/') && ban.test(withoutComments(text)))
      .map(({ path }) => `${path}: ${instead}`);
    expect(violations).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cycles(production)).toEqual([]);
  });

  it(`has no hand-written file of more than ${LINES_MAX} lines`, () => {
    const tooLong = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path}: ${lines} lines; split it by what its parts are for`);
    expect(tooLong).toEqual([]);
  });

  it('has one index of named exports a lib, and no barrels', () => {
    const barrels = files.filter(({ text }) => /^export \*/m.test(text)).map(({ path }) => path);
    expect(barrels).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

function cycles(all: readonly SourceFile[]): string[] {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return;
    for (const specifier of file.imports) {
      const next = target(file, specifier);
      if (next !== undefined) visit(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of all) visit(path, []);
  return found;
}
