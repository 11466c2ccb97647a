// Module hooks that let Node 20 run the sources as they are, for specs that need an app as a process of its own.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const root = new URL('../../../../', import.meta.url);

/** Packages that are not installed, as far as the process can tell; separated by commas. */
const absent = (process.env.SPEC_ABSENT_PACKAGES ?? '').split(',').filter((name) => name !== '');

export async function resolve(specifier, context, next) {
  const missing = absent.find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (missing !== undefined) {
    throw Object.assign(new Error(`Cannot find package '${missing}'`), { code: 'ERR_MODULE_NOT_FOUND' });
  }
  if (specifier.startsWith('#'))
    return next(new URL(`libs/${specifier.slice(1)}/index.ts`, root).href, context);
  const isOurs = context.parentURL?.endsWith('.ts') === true && specifier.startsWith('.');
  return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), {
    filename,
    sourceMaps: 'inline',
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      // As tsconfig.json has it: an import of types alone still loads its module.
      transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
    },
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
