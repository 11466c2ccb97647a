import { describe, expect, it } from '@jest/globals';
import { Command, CommanderError } from 'commander';
import { CliError } from './exit-codes.js';
import {
  readingOptions,
  rulesWish,
  sourceFiles,
  withReplayOptions,
  type ReplayFlags,
} from './replay-options.js';

function parse(...argv: string[]): { paths: readonly string[]; flags: ReplayFlags } {
  let parsed: { paths: readonly string[]; flags: ReplayFlags } | null = null;
  const command = withReplayOptions(new Command('replay'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    .action((paths: string[], flags: ReplayFlags) => {
      parsed = { paths, flags };
    });
  command.parse(argv, { from: 'user' });
  if (parsed === null) throw new Error('no action');
  return parsed;
}

function problem(...argv: string[]): string {
  try {
    const { paths, flags } = parse(...argv);
    readingOptions(flags);
    sourceFiles(paths, flags);
  } catch (error) {
    if (error instanceof CommanderError || error instanceof CliError) return error.message;
    throw error;
  }
  return 'none';
}

describe('options of gravity replay', () => {
  it('has the decided defaults', () => {
    const { flags } = parse('a.csv');
    expect(readingOptions(flags)).toEqual({
      columns: {
        person: 'person',
        time: 'time',
        amount: 'amount',
        quantity: null,
        price: null,
        order: null,
        kind: null,
      },
      header: true,
      delimiter: ',',
      timeFormat: 'auto',
      timeZone: 'Asia/Shanghai',
      purchaseKinds: ['purchase'],
      refundKinds: ['refund'],
      zeroOrders: 'count',
      currency: 'CNY',
    });
    expect(flags).toMatchObject({ members: 'buyers', speed: 'max', header: true });
    expect(rulesWish(flags)).toEqual({
      dayZone: null,
      defaultDayZone: 'Asia/Shanghai',
      zeroOrderCounts: true,
      fineRowsMs: 48 * 3_600_000,
    });
  });

  it('gives fine windows rows for as many hours as it is told', () => {
    expect(rulesWish(parse('a.csv', '--fine-hours', '1').flags).fineRowsMs).toBe(3_600_000);
    expect(rulesWish(parse('a.csv', '--fine-hours', '0').flags).fineRowsMs).toBe(0);
    for (const hours of ['-1', '1.5', 'all', '8785', ''])
      expect(() => parse('a.csv', '--fine-hours', hours)).toThrow(/whole number of hours/);
  });

  it('counts days in the time zone unless told otherwise', () => {
    expect(rulesWish(parse('a.csv', '--time-zone', 'UTC').flags)).toMatchObject({
      dayZone: null,
      defaultDayZone: 'UTC',
    });
    expect(
      rulesWish(parse('a.csv', '--time-zone', 'UTC', '--day-zone', 'Asia/Shanghai').flags),
    ).toMatchObject({
      dayZone: 'Asia/Shanghai',
    });
  });

  it('takes numbers without a header, and a product instead of an amount', () => {
    const { flags } = parse(
      'a',
      '--no-header',
      '--person',
      '1',
      '--time',
      '2',
      '--quantity',
      '3',
      '--price',
      '4',
      '--delimiter',
      'tab',
    );
    expect(readingOptions(flags)).toMatchObject({
      columns: { person: 1, time: 2, amount: null, quantity: 3, price: 4 },
      header: false,
      delimiter: '\t',
    });
  });

  it.each([
    [['a', '--no-header'], '--no-header needs --person'],
    [['a', '--no-header', '--person', 'who'], 'columns are numbers from 1'],
    [['a', '--no-header', '--person', '0'], 'columns are numbers from 1'],
    [['a', '--price', 'p'], '--price needs --quantity'],
    [['a', '--price', 'p', '--quantity', 'q', '--amount', 'a'], 'exclude each other'],
    [['a', '--time-zone', 'Mars'], 'tz database name'],
    [['a', '--day-zone', '+8'.repeat(9)], 'tz database name'],
    [['a', '--currency', 'yuan'], 'ISO 4217'],
    [['a', '--speed', '0'], 'above 0'],
    [['a', '--speed', 'fast'], 'above 0'],
    [['a', '--members', 'all'], 'buyers, none'],
    [['a', '--zero-orders', 'maybe'], 'count, ignore'],
    [['a', '--delimiter', '"'], 'one or more characters'],
    [['a', '--time-format', 'HH:mm'], 'a year, a month and a day'],
    [['a', '--purchase-kinds', 'x,,y'], 'separated by commas'],
    [['a', '--purchase-kinds', 'x', '--refund-kinds', 'x'], 'a purchase kind and a refund kind'],
    [['a', '--brand', 'a|b'], 'without control characters'],
    [['x/a.csv', 'y/a.csv'], 'two files are called a.csv'],
    [['a', 'b', '--source', 's'], '--source names one file'],
    [[], "missing required argument 'file'"],
    [['a', '--frob'], "unknown option '--frob'"],
  ])('%j', (argv, message) => {
    expect(problem(...argv)).toContain(message);
  });

  it('names a source by the base name of its file', () => {
    const { paths, flags } = parse('x/a.csv.gz', 'y/b.csv');
    expect(sourceFiles(paths, flags)).toEqual([
      { path: 'x/a.csv.gz', name: 'a.csv.gz' },
      { path: 'y/b.csv', name: 'b.csv' },
    ]);
    expect(sourceFiles(['x/a.csv'], parse('x/a.csv', '--source', 'shop').flags)[0]?.name).toBe('shop');
  });
});
