import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The `schemas/` directory beside the package.json above this file, whether it runs from source or dist. */
export function schemaDirectory(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let at = start; ; at = dirname(at)) {
    const candidate = join(at, 'schemas');
    if (existsSync(join(at, 'package.json')) && existsSync(candidate)) return candidate;
    if (dirname(at) === at) throw new Error(`no package with a schemas directory above ${start}`);
  }
}
