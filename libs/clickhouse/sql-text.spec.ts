import { describe, expect, it } from '@jest/globals';
import { checkedName, inlineParams, settingsList, splitStatements, stringLiteral } from './sql-text.js';

describe('splitStatements', () => {
  it('cuts at semicolons of code only', () => {
    const sql = `-- one; two
      SELECT ';', "a;b", \`c;d\`, 'it''s; \\'x\\'' /* ; */; ;
      SELECT 2 -- end;`;
    expect(splitStatements(sql)).toEqual([`SELECT ';', "a;b", \`c;d\`, 'it''s; \\'x\\''`, 'SELECT 2']);
  });

  it('refuses an unclosed quote', () => {
    expect(() => splitStatements("SELECT 'a\\'")).toThrow(/unclosed '/);
  });
});

describe('inlineParams', () => {
  it('writes values of each type, and leaves quotes and comments alone', () => {
    expect(
      inlineParams("SELECT {s:String}, {n:Int64}, {l:Array(String)}, '{s:String}' -- {s:String}", {
        s: "it's \\",
        n: -5n,
        l: ["'", 'b'],
      }),
    ).toBe(
      "SELECT 'it\\'s \\\\', CAST('-5', 'Int64'), CAST(['\\'', 'b'], 'Array(String)'), '{s:String}' -- {s:String}",
    );
  });

  it.each([
    ['{n:Int64}', { n: '1 OR 1=1' }],
    ['{n:Int64}', { n: 1.5 }],
    ['{n:Int64}', { n: 2 ** 53 }],
    ['{s:String}', { s: 1 }],
    ['{s:Date}', { s: '2020-01-01' }],
    ['{s:String}', {}],
  ])('refuses %s with %j', (sql, params) => {
    expect(() => inlineParams(sql, params)).toThrow(/parameter/);
  });
});

it('literals, settings and names', () => {
  expect(stringLiteral("a\\' \n\0")).toBe("'a\\\\\\' \\n\\0'");
  expect(settingsList({ a: 1, b: "x'" })).toBe("a = 1, b = 'x\\''");
  expect(() => settingsList({ 'a = 1, b': 1 })).toThrow(/not a setting/);
  expect(checkedName('gravity.touchpoints')).toBe('gravity.touchpoints');
  for (const name of ['', 'a.b.c', 'a b', 'a;', '`a`', 'a.'])
    expect(() => checkedName(name)).toThrow(/not a name/);
});
