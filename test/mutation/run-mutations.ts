/**
 * `npm run test:mutation`: plants one fault after the other in a copy of the rolling windows, and looks whether their
 * tests find it. Arguments choose files by a part of their name.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../libs/testing/places.js';
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.js';

const ROOT = repositoryRoot();
const WINDOWS = join('libs', 'domain', 'windows');
/** The tests of the windows, and those of the fold that hold its windows against a recount. */
const SPECS = [WINDOWS, join('libs', 'domain', 'fold-windows.property.spec.ts')];
const COPIED = ['jest.config.mjs', 'package.json', 'tsconfig.json', 'schemas', 'scripts', 'libs'];
/** Of roots that jest is told of, and the copy does not need. */
const EMPTY = ['apps', 'test'];

/** The tests take a minute; a fault after which they are not over by then has made them endless, and was found. */
const ENDLESS_MS = 300_000;

let running: ChildProcess | null = null;

type Verdict = 'killed' | 'survived' | 'equal' | 'not equal';

function copyOfTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  for (const name of EMPTY) mkdirSync(join(copy, name));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether the tests of the windows pass there. */
function passes(copy: string): Promise<boolean> {
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  // A group of its own: a worker in an endless loop does not notice that jest has ended.
  const child = spawn(process.execPath, [...flags, jest, '--bail', '--silent', ...SPECS], {
    cwd: copy,
    stdio: 'ignore',
    detached: true,
  });
  running = child;
  const isOver = setTimeout(() => kill(child), ENDLESS_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(isOver);
      running = null;
      // One test has found the fault, another one may be in an endless loop.
      kill(child);
      resolve(code === 0);
    });
  });
}

/** With all that it has started; they may be gone. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function verdictOn(fault: PlantedFault, copy: string): Promise<Verdict> {
  const path = join(copy, WINDOWS, fault.file);
  const whole = readFileSync(path, 'utf8');
  if (whole.split(fault.text).length !== 2) {
    throw new Error(`${fault.file}: this has to stand there exactly once, and does not:\n${fault.text}`);
  }
  writeFileSync(
    path,
    whole.replace(fault.text, () => fault.instead),
  );
  try {
    const isGreen = await passes(copy);
    if (fault.equal !== undefined) return isGreen ? 'equal' : 'not equal';
    return isGreen ? 'survived' : 'killed';
  } finally {
    writeFileSync(path, whole);
  }
}

async function main(): Promise<void> {
  const chosen = process.argv.slice(2);
  const faults = PLANTED_FAULTS.filter(
    ({ file }) => chosen.length === 0 || chosen.some((part) => file.includes(part)),
  );
  if (faults.length === 0) throw new Error(`no planted fault is in a file like ${chosen.join(', ')}`);
  const copy = copyOfTree();
  const stop = (): void => {
    if (running !== null) kill(running);
    rmSync(copy, { recursive: true, force: true });
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  try {
    process.stdout.write('without any fault: ');
    if (!(await passes(copy))) throw new Error('the tests fail as it is');
    process.stdout.write('green\n');
    const counts = new Map<Verdict, number>();
    for (const [index, fault] of faults.entries()) {
      const verdict = await verdictOn(fault, copy);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      const what = `${fault.file}: ${oneLine(fault.text)} → ${oneLine(fault.instead) || '(nothing)'}`;
      process.stdout.write(`${index + 1}/${faults.length} ${verdict.padEnd(9)} ${what}\n`);
    }
    process.stdout.write(`${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}\n`);
    const isBad = (counts.get('survived') ?? 0) + (counts.get('not equal') ?? 0) > 0;
    process.exitCode = isBad ? 1 : 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

await main();
