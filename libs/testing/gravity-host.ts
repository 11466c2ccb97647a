/** For the specs: `gravity` as built, many commands in one process, which loads it only once. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { commandEnvironment, type GravityOutcome } from './gravity-process.js';
import { builtFile } from './places.js';

type Env = Readonly<Record<string, string>>;

export class GravityHost {
  private child: ChildProcess | null = null;
  private last: Promise<unknown> = Promise.resolve();

  /** One after the other. A command is over when a process of its own would have ended. */
  run(argv: readonly string[], env: Env): Promise<GravityOutcome> {
    const outcome = this.last.then(() => outcomeOf((this.child ??= startHost()), argv, env));
    this.last = outcome.catch(() => undefined);
    return outcome;
  }

  /** Also in the middle of a command. */
  async stop(): Promise<void> {
    if (this.child?.connected !== true) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}

function startHost(): ChildProcess {
  const child = spawn(process.execPath, [builtFile('apps/cli/spec-support/command-host.ts')], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: commandEnvironment({}),
  });
  child.stdout?.setEncoding('utf8');
  child.stderr?.setEncoding('utf8');
  return child;
}

/** @throws Error   the process has ended in the middle of it */
function outcomeOf(child: ChildProcess, argv: readonly string[], env: Env): Promise<GravityOutcome> {
  const mark = `\0${randomUUID()}`;
  const texts = { out: '', err: '' };
  let answer: { readonly code: number | null } | null = null;
  return new Promise((resolve, reject) => {
    const lookForEnd = (): void => {
      if (answer === null || !texts.out.endsWith(mark) || !texts.err.endsWith(mark)) return;
      leave();
      const [out, err] = [texts.out, texts.err].map((text) => text.slice(0, -mark.length));
      resolve({ ...answer, out: out ?? '', err: err ?? '' });
    };
    const onOut = (text: string): void => {
      texts.out += text;
      lookForEnd();
    };
    const onErr = (text: string): void => {
      texts.err += text;
      lookForEnd();
    };
    const onAnswer = (message: { readonly code: number | null }): void => {
      answer = message;
      lookForEnd();
    };
    const onClose = (): void =>
      reject(new Error(`gravity ${argv.join(' ')}: its process has ended\n${texts.err}`));
    const leave = (): void => {
      child.stdout?.off('data', onOut);
      child.stderr?.off('data', onErr);
      child.off('message', onAnswer).off('close', onClose);
    };
    child.stdout?.on('data', onOut);
    child.stderr?.on('data', onErr);
    child.on('message', onAnswer).on('close', onClose);
    child.send({ argv, env: commandEnvironment(env), mark });
  });
}
