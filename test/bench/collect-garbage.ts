import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** A full collection, now. @throws Error where V8 does not offer it */
export function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('V8 does not let garbage be collected on demand');
  Reflect.apply(collect, undefined, []);
}
