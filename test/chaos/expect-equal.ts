const SHOWN = 3;

/** Of two sorted lists, however long. @throws Error with what only one of them has */
export function expectEqual(what: string, found: readonly string[], expected: readonly string[]): void {
  const nth = Array.from({ length: Math.max(found.length, expected.length) }).findIndex(
    (_, at) => found[at] !== expected[at],
  );
  if (nth < 0) return;
  const known = new Set(expected);
  const seen = new Set(found);
  const tooMany = found.filter((one) => !known.has(one));
  const missing = expected.filter((one) => !seen.has(one));
  const repeated = found.filter((one, at) => found[at - 1] === one && expected[at] !== one);
  throw new Error(
    `${what} differ: ${found.length} for ${expected.length}, first at ${nth}\n` +
      `  ${tooMany.length} that should not be:\n${lines(tooMany)}\n  ${missing.length} missing:\n${lines(missing)}\n` +
      `  some more than once:\n${lines(repeated)}`,
  );
}

function lines(list: readonly string[]): string {
  return list
    .slice(0, SHOWN)
    .map((one) => `    ${one}`)
    .join('\n');
}
