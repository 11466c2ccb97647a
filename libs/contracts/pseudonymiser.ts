/** Person ids to pseudonyms: HMAC-SHA-256 under a key that is kept in a file. */
import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync } from 'node:fs';
import { mkdirSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SourceRelation, SourceTouchpoint } from '#domain';

const KEY_BYTES = 32;
/** 128 bits: among a billion persons two would share one with a chance of 10⁻²¹. */
const PSEUDONYM_BYTES = 16;
const CACHE_MAX = 100_000;

export class Pseudonymiser {
  /** By brand, then person: no text has to be made to look one up. */
  private known = new Map<string, Map<string, string>>();
  private size = 0;

  constructor(private readonly key: Buffer) {
    if (key.length < KEY_BYTES) throw new Error(`a pseudonym key has at least ${KEY_BYTES} bytes`);
  }

  /** Loads the key, or makes it, and its folder, where the file does not exist yet: for a service's own data folder. */
  static fromKeyFile(path: string): Pseudonymiser {
    mkdirSync(dirname(path), { recursive: true });
    return new Pseudonymiser(loadOrCreatePseudonymKey(path));
  }

  /** 22 characters (base64url). The same person has another pseudonym at another brand. */
  pseudonym(brand: string, person: string): string {
    const known = this.known.get(brand)?.get(person);
    if (known !== undefined) return known;
    const digest = createHmac('sha256', this.key).update(`${brand}\0${person}`).digest();
    const pseudonym = digest.toString('base64url', 0, PSEUDONYM_BYTES);
    this.keep(brand, person, pseudonym);
    return pseudonym;
  }

  private keep(brand: string, person: string, pseudonym: string): void {
    if (this.size >= CACHE_MAX) {
      this.known = new Map();
      this.size = 0;
    }
    const persons = this.known.get(brand);
    if (persons === undefined) this.known.set(brand, new Map([[person, pseudonym]]));
    else persons.set(person, pseudonym);
    this.size += 1;
  }

  /** The event with its persons replaced; empty persons stay empty, so that admission can refuse them. */
  apply(event: SourceTouchpoint): SourceTouchpoint {
    const person = this.replaced(event.brand, event.person);
    switch (event.type) {
      case 'relation':
        return this.relation(event, person);
      case 'share':
        return Object.assign(copyOf(event), { person, sharer: this.replaced(event.brand, event.sharer) });
      case 'visit':
      case 'engagement':
      case 'order':
        return Object.assign(copyOf(event), { person });
    }
  }

  private relation(event: SourceRelation, person: string | null): SourceRelation {
    const { brand } = event;
    const inviter = this.replaced(brand, event.inviter);
    const assignee = this.replaced(brand, event.assignee);
    const linkedPerson = this.replaced(brand, event.linkedPerson);
    return Object.assign(copyOf(event), { person, inviter, assignee, linkedPerson });
  }

  private replaced(brand: string, person: string | null): string | null {
    return person === null || person.trim() === '' ? person : this.pseudonym(brand, person);
  }
}

/** A spread with the new fields in one literal is several times slower (see `touchpoints.ts` of the domain). */
function copyOf<T extends object>(event: T): T {
  return { ...event };
}

/**
 * The key in the file (64 hexadecimal digits, mode 0600). Where the file does not exist it is made, complete
 * or not at all; of two processes that try at once both use the one that was first. Its directory is not made: a
 * path that was typed wrong must not give everybody another pseudonym.
 *
 * @param onCreated   the key is a new one, so nobody has the pseudonyms that he had before
 * @throws if the file holds something else or its directory does not exist
 */
export function loadOrCreatePseudonymKey(path: string, onCreated: () => void = () => undefined): Buffer {
  if (!existsSync(path) && createKeyFile(path)) onCreated();
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64,}$/i.test(text) || text.length % 2 !== 0) {
    throw new Error(`${path} is not a pseudonym key (64 hexadecimal digits expected)`);
  }
  chmodSync(path, 0o600);
  return Buffer.from(text, 'hex');
}

/** @returns false when another process was first */
function createKeyFile(path: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (!existsSync(path)) throw error;
    return false;
  } finally {
    rmSync(draft);
  }
}
