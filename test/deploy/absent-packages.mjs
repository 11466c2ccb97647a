// `node --import` this: the packages that SPEC_ABSENT_PACKAGES names, separated by commas, are not installed as far as
// the process can tell. Node loads the same file once more, in a thread of its own, for the hook.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const absent = (process.env.SPEC_ABSENT_PACKAGES ?? '').split(',').filter((name) => name !== '');

export function resolve(specifier, context, next) {
  const missing = absent.find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (missing === undefined) return next(specifier, context);
  throw Object.assign(new Error(`Cannot find package '${missing}'`), { code: 'ERR_MODULE_NOT_FOUND' });
}

if (isMainThread) register(import.meta.url);
