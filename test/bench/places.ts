import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout, from the built form and from source alike. */
export function repositoryRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'nest-cli.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the bench runs in a checkout of the repository');
    folder = parent;
  }
  return folder;
}

/** A file of the built form. */
export function builtFile(...path: string[]): string {
  return join(repositoryRoot(), 'dist', ...path);
}
