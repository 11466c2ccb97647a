/** How the cells of a column are written, by the column's type. */
import { dayFromText } from '#domain';
import type { CompactValue } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import type { RowBinary } from './row-binary.js';

export interface ColumnWriter {
  /** @throws ClickHouseFailure (`INVALID`) for what is no value of the column */
  write(out: RowBinary, cell: CompactValue): void;
}

type Value = NonNullable<CompactValue>;
type ValueWriter = (out: RowBinary, value: Value) => void;

const NULLABLE = /^Nullable\((.*)\)$/s;
const LOW_CARDINALITY = /^LowCardinality\((.*)\)$/s;
const ARRAY = /^Array\((.*)\)$/s;
const ENUM = /^Enum8\((.*)\)$/s;
const ENUM_SYMBOL = /'((?:[^'\\]|\\.)*)'\s*=\s*(-?\d+)/gs;
const INTEGER = /^(U?)Int(8|16|32|64)$/;

/**
 * @param type   as `system.columns` spells it
 * @throws ClickHouseFailure (`INVALID`)   no column of that type is written here
 */
export function columnWriter(column: string, type: string): ColumnWriter {
  const inner = NULLABLE.exec(type)?.[1];
  const isNullable = inner !== undefined;
  const write = valueWriter(column, inner ?? type);
  return {
    write(out, cell) {
      if (cell === null) {
        if (isNullable) out.null();
        else out.defaults(1);
        return;
      }
      out.value(isNullable);
      write(out, cell);
    },
  };
}

function valueWriter(column: string, type: string): ValueWriter {
  const refuse = (value: Value): never => {
    throw new ClickHouseFailure(
      `column ${column}: ${JSON.stringify(String(value)).slice(0, 100)} is no ${type}`,
      'INVALID',
      null,
    );
  };
  const plain = LOW_CARDINALITY.exec(type)?.[1] ?? type;
  const items = ARRAY.exec(plain)?.[1];
  if (items !== undefined) return arrayWriter(valueWriter(column, items), refuse);
  const symbols = ENUM.exec(plain)?.[1];
  if (symbols !== undefined) return enumWriter(symbols, refuse);
  const [, unsigned, bits] = INTEGER.exec(plain) ?? [];
  if (bits === '64') return longWriter(unsigned === 'U', refuse);
  if (bits !== undefined) return integerWriter(unsigned === 'U', Number(bits) as 8 | 16 | 32, refuse);
  if (plain.startsWith('DateTime64(3')) return longWriter(false, refuse);
  switch (plain) {
    case 'String':
      return (out, value) => (typeof value === 'string' ? out.text(value) : refuse(value));
    case 'Bool':
      return (out, value) => {
        const bit = Number(value);
        if (bit !== 0 && bit !== 1) refuse(value);
        out.small(bit, 1);
      };
    case 'Float64':
      return (out, value) => (typeof value === 'number' ? out.double(value) : refuse(value));
    case 'Date32':
      return (out, value) => {
        const day = typeof value === 'string' ? dayFromText(value) : null;
        out.small(day ?? refuse(value), 4);
      };
    default:
      throw new ClickHouseFailure(`column ${column}: no ${type} is written`, 'INVALID', null);
  }
}

type Refuse = (value: Value) => never;

function arrayWriter(write: ValueWriter, refuse: Refuse): ValueWriter {
  return (out, value) => {
    if (typeof value !== 'object') return refuse(value);
    out.length(value.length);
    for (const item of value) write(out, item);
  };
}

function enumWriter(symbols: string, refuse: Refuse): ValueWriter {
  const numbers = new Map<Value, number>();
  for (const [, name = '', number] of symbols.matchAll(ENUM_SYMBOL)) numbers.set(name, Number(number));
  return (out, value) => out.small(numbers.get(value) ?? refuse(value), 1);
}

function integerWriter(isUnsigned: boolean, bits: 8 | 16 | 32, refuse: Refuse): ValueWriter {
  const bytes = (bits / 8) as 1 | 2 | 4;
  const least = isUnsigned ? 0 : -(2 ** (bits - 1));
  const most = isUnsigned ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  return (out, value) => {
    const number = typeof value === 'number' ? value : Number.NaN;
    if (!Number.isInteger(number) || number < least || number > most) refuse(value);
    out.small(number, bytes);
  };
}

function longWriter(isUnsigned: boolean, refuse: Refuse): ValueWriter {
  const least = isUnsigned ? 0n : -(2n ** 63n);
  const most = isUnsigned ? 2n ** 64n - 1n : 2n ** 63n - 1n;
  return (out, value) => {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) || (isUnsigned && value < 0)) refuse(value);
      out.long(value);
      return;
    }
    const long = typeof value === 'bigint' ? value : bigOf(value, refuse);
    if (long < least || long > most) refuse(value);
    out.bigLong(long);
  };
}

function bigOf(value: Value, refuse: Refuse): bigint {
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : refuse(value);
}
