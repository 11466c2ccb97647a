/** The rows of all persons held against what SQL makes of the raw facts. */
import type { Scheme } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { oraclePersons, type OraclePerson } from '../queries/oracle.js';
import { persons, type PersonFigures } from '../queries/persons.js';
import { rowOf, text } from '../row-reader.js';

export interface PersonsSample {
  readonly brand: string;
  readonly scheme: Scheme;
  /** Event time that all partitions have reached, ms. */
  readonly watermark: number;
}

const FIELDS = [
  ...(['tier', 'purchase_days', 'orders', 'own_value_minor'] as const),
  ...(['first_purchase', 'last_purchase', 'is_member'] as const),
] satisfies readonly (keyof OraclePerson & keyof PersonFigures)[];

export interface PersonDrift {
  readonly brand: string;
  readonly schemeId: string;
  readonly person: string;
  readonly field: (typeof FIELDS)[number] | 'row';
  /** Null: none. */
  readonly live: number | boolean | null;
  readonly recount: number | boolean | null;
}

export interface PersonsReconciliation {
  readonly compared: number;
  /** Persons with events ahead of the watermark: their rows say more than time has reached. */
  readonly ahead: number;
  readonly drifts: readonly PersonDrift[];
}

const PAGE = 10_000;

export async function reconcilePersons(
  clickhouse: ClickHouse,
  sample: PersonsSample,
): Promise<PersonsReconciliation> {
  const { brand, scheme, watermark } = sample;
  const ahead = await personsAhead(clickhouse, sample);
  const recounted = await oraclePersons(clickhouse, { brand, scheme, at: watermark + 1 });
  const expected = new Map(recounted.map((one) => [one.person, one]));
  const drifts: PersonDrift[] = [];
  let compared = 0;
  const name = { brand, schemeId: scheme.id };
  for await (const live of allPersons(clickhouse, brand, scheme.id)) {
    const { person } = live;
    const recount = expected.get(person);
    expected.delete(person);
    if (ahead.has(person)) continue;
    compared += 1;
    if (recount === undefined) drifts.push({ ...name, person, field: 'row', live: live.tier, recount: null });
    else drifts.push(...differences(live, recount).map((difference) => ({ ...name, ...difference })));
  }
  for (const [person, recount] of expected) {
    // Who has no relation and no money any more is forgotten after a while.
    if (ahead.has(person) || isNobody(recount)) continue;
    drifts.push({ ...name, person, field: 'row', live: null, recount: recount.tier });
  }
  return { compared, ahead: ahead.size, drifts };
}

function differences(
  live: PersonFigures,
  recount: OraclePerson,
): readonly Omit<PersonDrift, 'brand' | 'schemeId'>[] {
  return FIELDS.filter((field) => live[field] !== recount[field]).map((field) => ({
    ...{ person: live.person, field },
    live: live[field],
    recount: recount[field],
  }));
}

function isNobody({ tier, orders, own_value_minor }: OraclePerson): boolean {
  return tier === 0 && orders === 0 && own_value_minor === 0;
}

async function* allPersons(
  clickhouse: ClickHouse,
  brand: string,
  schemeId: string,
): AsyncGenerator<PersonFigures> {
  let after = '';
  for (;;) {
    const page = await persons(clickhouse, { brand, schemeId, after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.person;
  }
}

async function personsAhead(
  clickhouse: ClickHouse,
  { brand, watermark }: PersonsSample,
): Promise<ReadonlySet<string>> {
  const rows = await clickhouse.query({
    sql: `
      SELECT DISTINCT person FROM gravity.touchpoints
      WHERE brand = {brand:String} AND at > fromUnixTimestamp64Milli({watermark:Int64}, 'UTC')`,
    params: { brand, watermark },
    row: rowOf({ person: text }),
  });
  return new Set(rows.map(({ person }) => person));
}
