// TypeScript by swc, for jest. Jest runs modules in a context of Node's `vm`, where each use of a global goes through an
// interceptor: `Math.imul` in an inner loop takes longer than all the rest of it. A constant of the module does not.
import swc from '@swc/jest';

/** Not those that fake timers replace. */
const GLOBALS = [
  ...[
    'Array',
    'BigInt',
    'Boolean',
    'Buffer',
    'DataView',
    'Float64Array',
    'Infinity',
    'Int32Array',
    'JSON',
    'Map',
    'Math',
  ],
  ...['NaN', 'Number', 'Object', 'Reflect', 'Set', 'String', 'Uint8Array', 'Uint16Array', 'Uint32Array'],
];

function withConstants(code) {
  const used = GLOBALS.filter(
    (name) =>
      new RegExp(`\\b${name}\\b`).test(code) &&
      !new RegExp(`\\b(?:const|let|class|function) ${name}\\b|^import [^;]*\\b${name}\\b`, 'm').test(code),
  );
  // On the first line: what stack traces say stays right.
  return used.length === 0 ? code : `const { ${used.join(', ')} } = globalThis; ${code}`;
}

export default {
  createTransformer(options) {
    const inner = swc.createTransformer(options);
    const changed = (result) => ({ ...result, code: withConstants(result.code) });
    return {
      ...inner,
      getCacheKey: (...args) => `${inner.getCacheKey(...args)}-constants`,
      process: (...args) => changed(inner.process(...args)),
      processAsync: async (...args) => changed(await inner.processAsync(...args)),
    };
  },
};
