import { describe, expect, it } from '@jest/globals';
import { escapeControlsInLines, printable, printableList } from './printable-text.js';

describe('text of a file in a message', () => {
  it('commands no terminal and breaks no line', () => {
    expect(printable('a\u001b[31mb\nc\u009b\u202e\u2028\0')).toBe(
      'a\\x1b[31mb\\x0ac\\x9b\\u202e\\u2028\\x00',
    );
    expect(printable('客户 Zoë €')).toBe('客户 Zoë €');
    expect(escapeControlsInLines('one\ntwo\r')).toBe('one\ntwo\\x0d');
  });

  it('is cut, and never into half a character that would be printed', () => {
    expect(printable('x'.repeat(1_000))).toBe(`${'x'.repeat(60)}…`);
    expect(printable('x😀', 2)).toBe('x\\ud83d…');
  });

  it('lists some names and counts the rest', () => {
    expect(printableList(['a', 'b\u0007'])).toBe('a, b\\x07');
    const list = printableList(Array.from({ length: 5_000 }, () => '\u0001'.repeat(5_000)));
    expect(list).toContain('… and 4980 more');
    expect(list.length).toBeLessThan(6_000);
  });
});
