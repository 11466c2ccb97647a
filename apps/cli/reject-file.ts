/** `--rejects FILE`: every rejected row as CSV, for whoever has to repair the file. */
import { closeSync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs';
import type { SourceFile } from '../simulator/recorded/replay-options.js';
import { escapeControls } from '../simulator/recorded/printable-text.js';
import { CliError } from './exit-codes.js';
import { reasonOf } from './plain-failure.js';

const BUFFER_CHARS = 65_536;

export class RejectFile {
  private readonly file: number;
  private text = 'source,row,reason,detail\n';
  /** What an earlier run has left is kept until there is something to replace it by. */
  private hasBegun = false;
  private hasRows = false;

  private constructor(private readonly path: string) {
    this.file = this.tried(() => openSync(path, 'a'));
  }

  /**
   * @param path     null comes of none
   * @param inputs   the files that are read
   * @throws CliError   it cannot be written, or is one of the inputs
   */
  static open(path: string | undefined, inputs: readonly SourceFile[]): RejectFile | null {
    if (path === undefined) return null;
    if (inputs.some((input) => isSameFile(input.path, path)))
      throw new CliError(`--rejects ${path}: this is one of the files to read`);
    return new RejectFile(path);
  }

  /** @throws CliError */
  write(source: string, row: number, reason: string, detail: string): void {
    const cells = [source, String(row), reason, detail].map((cell) => quoted(escapeControls(cell)));
    this.text += `${cells.join(',')}\n`;
    this.hasRows = true;
    if (this.text.length >= BUFFER_CHARS) this.flush();
  }

  /**
   * @param isDone   the files were read to their end: no rejected row is an answer, too
   * @throws CliError
   */
  close(isDone: boolean): void {
    try {
      if (isDone || this.hasRows) this.flush();
    } finally {
      closeSync(this.file);
    }
  }

  private flush(): void {
    const { text } = this;
    // What could not be written once is not tried again while closing.
    this.text = '';
    this.tried(() => {
      if (!this.hasBegun) ftruncateSync(this.file);
      this.hasBegun = true;
      writeFileSync(this.file, text);
    });
  }

  private tried<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new CliError(`--rejects ${this.path}: ${reasonOf(error)}`);
    }
  }
}

function isSameFile(left: string, right: string): boolean {
  const [one, other] = [left, right].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

function quoted(cell: string): string {
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
