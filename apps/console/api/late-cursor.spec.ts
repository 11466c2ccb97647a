import { describe, expect, it } from '@jest/globals';
import { lateCursorFromText, lateCursorText } from './late-cursor.js';

describe('the cursor of the late ledger', () => {
  it('comes back as it was, whatever event and person are called', () => {
    const cursor = { at: 1_762_862_400_123, window: '5m', eventId: 'orders.csv#17', person: '雲\u0000"|' };
    expect(lateCursorFromText(lateCursorText(cursor))).toEqual(cursor);
  });

  it.each([
    '',
    'x',
    '%%',
    ...['[1]', '[1,2,"a","b"]', '[1.5,"5m","a","b"]', '[9e15,"5m","a","b"]'].map(base64),
  ])('is not read from %j', (text) => {
    expect(lateCursorFromText(text)).toBeNull();
  });
});

function base64(json: string): string {
  return Buffer.from(json).toString('base64url');
}
