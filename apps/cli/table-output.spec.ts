import { expect, it } from '@jest/globals';
import { formatRows, type OutputFormat } from './table-output.js';

const COLUMNS = ['person', 'tier', 'last'];
const ROWS = [
  { person: 'a,"b"', tier: 4, last: null },
  { person: 'c\u001b[2J', tier: 10, last: '2024' },
];

function text(format: OutputFormat, rows = ROWS): string {
  return [...formatRows(COLUMNS, rows, format)].join('');
}

it('writes CSV that a CSV reader reads', () => {
  expect(text('csv')).toBe('person,tier,last\n"a,""b""",4,\nc\u001b[2J,10,2024\n');
});

it('writes JSON with the columns and no others', () => {
  expect(JSON.parse(text('json'))).toEqual(ROWS);
  expect(JSON.parse(text('json', []))).toEqual([]);
});

it('aligns a table, and lets no file drive the terminal', () => {
  expect(text('table')).toBe('person  tier  last\na,"b"      4\nc\uFFFD[2J     10  2024\n');
});
