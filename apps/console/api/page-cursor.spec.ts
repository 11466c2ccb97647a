import { describe, expect, it } from '@jest/globals';
import { cursorFromText, cursorText } from './page-cursor.js';

describe('the cursor of a page', () => {
  it('comes back as it was, whatever the person is called', () => {
    const cursor = {
      detectedAt: 1_762_862_400_123,
      version: 2n ** 64n - 1n,
      person: '雲\u0000"|',
      schemeId: 'rolling:30d',
    };
    expect(cursorFromText(cursorText(cursor))).toEqual(cursor);
  });

  it.each([
    '',
    'x',
    '%%',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('[1,"-5","a","b"]').toString('base64url'),
  ])('is not read from %j', (text) => {
    expect(cursorFromText(text)).toBeNull();
  });

  it('is not read from a version that no 64 bits can hold', () => {
    const text = Buffer.from(JSON.stringify([1, (2n ** 64n).toString(), 'a', 'b'])).toString('base64url');
    expect(cursorFromText(text)).toBeNull();
  });
});
