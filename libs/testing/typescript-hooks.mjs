// Module hooks: `#lib` and relative `.js` imports go to their `.ts`, which is stripped of its types on loading. What
// came out is kept: tests start hundreds of processes, and threads in them, that all load the same files.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync, version } from '@swc/core';

const LIBS = new URL('../', import.meta.url);
const KEPT = fileURLToPath(new URL('../../node_modules/.cache/typescript-hooks/', import.meta.url));
/** Raised when the options below change. */
const FORM = 1;

export async function resolve(specifier, context, nextResolve) {
  if (/^#[a-z-]+$/.test(specifier)) {
    return { url: new URL(`${specifier.slice(1)}/index.ts`, LIBS).href, shortCircuit: true };
  }
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL !== undefined) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(fileURLToPath(url))) return { url: url.href, shortCircuit: true };
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const text = readFileSync(filename, 'utf8');
  const key = createHash('sha256').update(`${FORM}\0${version}\0${filename}\0${text}`).digest('hex');
  return {
    format: 'module',
    source: kept(`${KEPT}${key}.js`, () => stripped(filename, text)),
    shortCircuit: true,
  };
}

function stripped(filename, text) {
  return transformSync(text, {
    filename,
    sourceMaps: 'inline',
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  }).code;
}

/** Without a place to keep it, it is made every time. */
function kept(path, make) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    const code = make();
    try {
      mkdirSync(KEPT, { recursive: true });
      const begun = `${path}.${process.pid}-${Math.random()}`;
      writeFileSync(begun, code);
      renameSync(begun, path);
    } catch {
      // A folder that may not be written to.
    }
    return code;
  }
}
