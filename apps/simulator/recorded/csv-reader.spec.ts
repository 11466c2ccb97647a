import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CsvReader, WHITESPACE, type CsvItem } from './csv-reader.js';
import { LineSplitter } from './text-lines.js';

/** Reads `text` in pieces of `step` characters. */
function read(text: string, delimiter = ',', step = text.length, lineMax = 1000): CsvItem[] {
  const lines = new LineSplitter(lineMax);
  const csv = new CsvReader(delimiter);
  const items: CsvItem[] = [];
  for (let at = 0; at < text.length; at += Math.max(1, step)) {
    items.push(...csv.push(lines.push(text.slice(at, at + Math.max(1, step)))));
  }
  items.push(...csv.push(lines.end()), ...csv.end());
  return items;
}

function brief(items: readonly CsvItem[]): (string | readonly string[])[] {
  return items.map((item) => (item.fault === null ? item.cells : `${item.row} ${item.fault}`));
}

describe('well-formed CSV', () => {
  it.each([
    [
      'plain',
      'a,b\n1,2\n',
      ',',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'CRLF and no last line break',
      'a,b\r\n1,2',
      ',',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'blank lines',
      'a,b\n\n1,2\n   \n',
      ',',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'quotes',
      'a,b\n"x, y","say ""hi"""\n',
      ',',
      [
        ['a', 'b'],
        ['x, y', 'say "hi"'],
      ],
    ],
    [
      'line breaks in a cell',
      'a,b\n"x\r\ny",2\n',
      ',',
      [
        ['a', 'b'],
        ['x\ny', '2'],
      ],
    ],
    [
      'a quote inside a cell',
      'a,b\n5" pipe,2\n',
      ',',
      [
        ['a', 'b'],
        ['5" pipe', '2'],
      ],
    ],
    [
      'empty cells',
      'a,b,c\n,,\n"",,x\n',
      ',',
      [
        ['a', 'b', 'c'],
        ['', '', ''],
        ['', '', 'x'],
      ],
    ],
    [
      'semicolons',
      'a;b\n1,5;"2;3"\n',
      ';',
      [
        ['a', 'b'],
        ['1,5', '2;3'],
      ],
    ],
    [
      'tabs',
      'a\tb\n1\t\n',
      '\t',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    [
      'runs of blanks',
      ' 00001 19970101  1   11.77\n 2  3 4 5 \n',
      WHITESPACE,
      [
        ['00001', '19970101', '1', '11.77'],
        ['2', '3', '4', '5'],
      ],
    ],
  ])('%s', (_, text, delimiter, expected) => {
    for (const step of [1, 3, text.length]) expect(brief(read(text, delimiter, step))).toEqual(expected);
  });

  it('numbers rows by the line they start at', () => {
    expect(read('a,b\n"x\ny",2\n\n3,4\n').map(({ row }) => row)).toEqual([1, 2, 5]);
  });

  it('reads what csv-parse reads', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'é', '1'), maxLength: 6 });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 20 }), (rows, step) => {
        const text = rows
          .map((row) => `"${row.map((one) => one.replaceAll('"', '""')).join('","')}"\n`)
          .join('');
        const expected: string[][] = parse(text);
        expect(brief(read(text, ',', step))).toEqual(expected);
      }),
    );
  });
});

describe('malformed CSV is counted row by row', () => {
  it.each([
    [
      'too few and too many columns',
      'a,b\n1\n1,2\n1,2,3\n3,4\n',
      [['a', 'b'], '2 WRONG_COLUMN_COUNT', ['1', '2'], '4 WRONG_COLUMN_COUNT', ['3', '4']],
    ],
    ['text after a closing quote', 'a,b\n"1"x,2\n3,4\n', [['a', 'b'], '2 BAD_QUOTE', ['3', '4']]],
    ['a quote never closed', 'a,b\n1,"2\n3,4\n5,6\n', [['a', 'b'], '2 BAD_QUOTE', ['3', '4'], ['5', '6']]],
    [
      'a stray quote that meets a later one',
      'a,b\n1,"2\n3,4\n"5, x",6\n7,8\n',
      [['a', 'b'], '2 BAD_QUOTE', ['3', '4'], ['5, x', '6'], ['7', '8']],
    ],
    [
      'a stray quote that is closed by accident',
      'a,b\n1,"2\n3,4\n5,",6\n7,8\n',
      [['a', 'b'], '2 BAD_QUOTE', ['3', '4'], '4 BAD_QUOTE', ['7', '8']],
    ],
    [
      'a line that is too long',
      `a,b\n1,${'x'.repeat(2000)}\n3,4\n`,
      [['a', 'b'], '2 ROW_TOO_LONG', ['3', '4']],
    ],
    ['a long line at the end', `a,b\n3,4\n1,${'x'.repeat(2000)}`, [['a', 'b'], ['3', '4'], '3 ROW_TOO_LONG']],
    [
      'a long line inside a quoted cell',
      `a,b\n1,"${'x'.repeat(10)}\n${'y'.repeat(2000)}",2\n3,4\n`,
      [['a', 'b'], '2 BAD_QUOTE', '3 ROW_TOO_LONG', ['3', '4']],
    ],
    [
      'control characters',
      'a,b\n\0,\u0001\n3,4\n',
      [
        ['a', 'b'],
        ['\0', '\u0001'],
        ['3', '4'],
      ],
    ],
  ])('%s', (_, text, expected) => {
    for (const step of [1, 7, text.length]) expect(brief(read(text, ',', step))).toEqual(expected);
  });

  it('loses one row to an unclosed quote, however many follow', () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `${index},${index}`).join('\n');
    const items = read(`a,b\nx,"y\n${rows}\n`, ',', 4096);
    expect(items.filter(({ fault }) => fault !== null)).toEqual([
      { row: 2, cells: null, fault: 'BAD_QUOTE' },
    ]);
    expect(items).toHaveLength(20_002);
  });

  it('gives every line an outcome, whatever the bytes', () => {
    const noise = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' '), maxLength: 60 });
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 9 }), (text, step) => {
        const items = read(text, ',', step);
        expect(items).toEqual(read(text));
        const rows = items.map(({ row }) => row);
        expect(rows).toEqual([...rows].sort((left, right) => left - right));
        expect(new Set(rows).size).toBe(rows.length);
      }),
      { numRuns: 500 },
    );
  });
});
