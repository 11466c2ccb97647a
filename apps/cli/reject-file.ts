/** `--rejects FILE`: every rejected row as CSV, for whoever has to repair the file. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { escapeControls } from '../simulator/recorded/printable-text.js';
import { CliError } from './exit-codes.js';
import { reasonOf } from './plain-failure.js';

const BUFFER_CHARS = 65_536;

export class RejectFile {
  private readonly file: number;
  private text = 'source,row,reason,detail\n';

  /** @throws CliError   it cannot be written */
  constructor(private readonly path: string) {
    this.file = this.tried(() => openSync(path, 'w'));
  }

  /** @throws CliError */
  write(source: string, row: number, reason: string, detail: string): void {
    const cells = [source, String(row), reason, detail].map((cell) => quoted(escapeControls(cell)));
    this.text += `${cells.join(',')}\n`;
    if (this.text.length >= BUFFER_CHARS) this.flush();
  }

  /** @throws CliError */
  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.file);
    }
  }

  private flush(): void {
    const { text } = this;
    // What could not be written once is not tried again while closing.
    this.text = '';
    this.tried(() => writeFileSync(this.file, text));
  }

  private tried<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new CliError(`--rejects ${this.path}: ${reasonOf(error)}`);
    }
  }
}

function quoted(cell: string): string {
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
