import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SourceRelation, SourceShare } from '#domain';
import { loadOrCreatePseudonymKey, Pseudonymiser } from './pseudonymiser.js';

const key = Buffer.alloc(32, 7);

const head = {
  eventId: 'e1',
  brand: 'b',
  person: 'alice',
  channel: null,
  occurredAt: 1,
  sentAt: 2,
  origin: 'LIVE',
  actor: 'CUSTOMER',
  campaign: null,
  entrySource: null,
  publicDomain: false,
  paid: false,
  mechanism: null,
  guide: null,
  shareId: 's',
  itemId: null,
  roomId: null,
  groupId: null,
  contentId: null,
} as const;
const relation: SourceRelation = {
  ...head,
  type: 'relation',
  link: 'MEMBER',
  on: true,
  groupKind: null,
  inviter: 'bob',
  role: null,
  assignee: 'carol',
  linkedPerson: 'dora',
};

describe('Pseudonymiser', () => {
  const pseudonymiser = new Pseudonymiser(key);

  it('is the first 128 bits of HMAC-SHA-256 over brand, NUL, person', () => {
    const expected = createHmac('sha256', key).update('b\0alice').digest().subarray(0, 16);
    expect(pseudonymiser.pseudonym('b', 'alice')).toBe(expected.toString('base64url'));
    expect(pseudonymiser.pseudonym('b', 'alice')).toHaveLength(22);
  });

  it('differs by brand and by key', () => {
    expect(pseudonymiser.pseudonym('c', 'alice')).not.toBe(pseudonymiser.pseudonym('b', 'alice'));
    const other = new Pseudonymiser(Buffer.alloc(32, 8));
    expect(other.pseudonym('b', 'alice')).not.toBe(pseudonymiser.pseudonym('b', 'alice'));
  });

  it('replaces everyone whom an event names, alike', () => {
    const replaced = pseudonymiser.apply(relation);
    expect(replaced).toEqual({
      ...relation,
      person: pseudonymiser.pseudonym('b', 'alice'),
      inviter: pseudonymiser.pseudonym('b', 'bob'),
      assignee: pseudonymiser.pseudonym('b', 'carol'),
      linkedPerson: pseudonymiser.pseudonym('b', 'dora'),
    });
    const rest = { parentShareId: null, contentKind: null, fissionForm: null };
    const share: SourceShare = { ...head, type: 'share', kind: 'SHARED', sharer: 'alice', ...rest };
    const shared = pseudonymiser.apply(share);
    expect(shared.type === 'share' && shared.sharer).toBe(shared.person);
    expect(relation.person).toBe('alice');
  });

  it('leaves nobody and empty persons for admission to judge', () => {
    expect(pseudonymiser.apply({ ...relation, person: '' }).person).toBe('');
    expect(pseudonymiser.apply({ ...relation, person: null }).person).toBeNull();
  });
});

describe('the pseudonym key file', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pseudonym-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is made once, for its owner only, and read back', () => {
    const path = join(directory, 'pseudonym.key');
    let created = 0;
    const load = (): Buffer => loadOrCreatePseudonymKey(path, () => created++);
    const made = load();
    expect(made).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(load()).toEqual(made);
    expect(created).toBe(1);
    expect(readdirSync(directory)).toEqual(['pseudonym.key']);
  });

  it('is not made where there is no directory, but for a service in its own', () => {
    const path = join(directory, 'deep', 'pseudonym.key');
    expect(() => loadOrCreatePseudonymKey(path)).toThrow('ENOENT');
    expect(readdirSync(directory)).toEqual([]);
    const made = Pseudonymiser.fromKeyFile(path);
    expect(new Pseudonymiser(loadOrCreatePseudonymKey(path)).pseudonym('b', 'p')).toBe(
      made.pseudonym('b', 'p'),
    );
  });

  it('is refused, not overwritten, when it is something else', () => {
    const path = join(directory, 'notes.txt');
    writeFileSync(path, 'not a key');
    expect(() => loadOrCreatePseudonymKey(path)).toThrow('not a pseudonym key');
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('not a key');
  });
});
