import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout, from the built form and from source alike. */
export function repositoryRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'nest-cli.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('this runs in a checkout of the repository');
    folder = parent;
  }
  return folder;
}

/**
 * The built form of a source file: processes and threads of tests run what users run. `npm test` builds first.
 * @param path   from the root of the repository: `apps/cli/main.ts`
 */
export function builtFile(path: string): string {
  const file = join(repositoryRoot(), 'dist', path.replace(/\.ts$/, '.js'));
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  return file;
}
