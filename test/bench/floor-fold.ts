/**
 * The floor: what anybody would write first. avsc decodes the whole record, a Map holds a small object per person.
 * No tiers, no stocks, no windows, no order of time, no recovery.
 */
import avro from 'avsc';
import { SchemaCatalog } from '#contracts';
import { TOPICS } from '#pipeline';

/** What the floor reads of a record, by the names of the schema's file. */
interface FloorEntry {
  readonly at: number;
  readonly head: { readonly brand: string; readonly person: string } | null;
  readonly body: {
    readonly 'gravity.log.OrderPaid'?: { readonly amount_minor: number };
    readonly 'gravity.log.Link'?: { readonly on: boolean };
  };
}

interface FloorPerson {
  purchaseDays: number;
  lastDay: number;
  links: number;
  paidMinor: number;
  lastAt: number;
}

const DAY_MS = 86_400_000;
/** Magic byte and schema id of Confluent's framing. */
const FRAME_BYTES = 5;

export class FloorFold {
  readonly #type: InstanceType<typeof avro.Type>;
  readonly #persons = new Map<string, FloorPerson>();
  paidMinor = 0;

  constructor(catalog = SchemaCatalog.load()) {
    const schema: unknown = JSON.parse(catalog.current(TOPICS.relationshipLog).text);
    this.#type = avro.Type.forSchema(schema as Parameters<typeof avro.Type.forSchema>[0]);
  }

  get persons(): number {
    return this.#persons.size;
  }

  add(value: Buffer): void {
    const entry = this.#type.fromBuffer(value.subarray(FRAME_BYTES)) as FloorEntry;
    const { head, body, at } = entry;
    if (head === null) return;
    const key = `${head.brand}\0${head.person}`;
    let person = this.#persons.get(key);
    if (person === undefined) {
      person = { purchaseDays: 0, lastDay: -1, links: 0, paidMinor: 0, lastAt: 0 };
      this.#persons.set(key, person);
    }
    const paid = body['gravity.log.OrderPaid'];
    if (paid !== undefined) {
      const day = Math.floor(at / DAY_MS);
      if (day > person.lastDay) {
        person.purchaseDays += 1;
        person.lastDay = day;
      }
      person.paidMinor += paid.amount_minor;
      this.paidMinor += paid.amount_minor;
    } else if (body['gravity.log.Link'] !== undefined) {
      person.links += body['gravity.log.Link'].on ? 1 : -1;
    }
    if (at > person.lastAt) person.lastAt = at;
  }
}
