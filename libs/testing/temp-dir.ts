import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of its own under the system's temporary one; `remove` when the test is over. */
export class TempDir {
  readonly path: string;

  constructor(name = 'test') {
    this.path = mkdtempSync(join(tmpdir(), `gravity-${name}-`));
  }

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
