import { messageOf } from '#pipeline';

/** Error codes after which the same statement may well succeed. */
const PASSING = new Set([
  '159', // TIMEOUT_EXCEEDED
  '160', // TOO_SLOW
  '164', // READONLY (a replica that is coming up)
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '225', // NO_ZOOKEEPER
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '285', // TOO_FEW_LIVE_REPLICAS
  '319', // UNKNOWN_STATUS_OF_INSERT
  '439', // CANNOT_SCHEDULE_TASK
  '999', // KEEPER_EXCEPTION
]);

/**
 * Every failure of either backend. The embedded engine throws classes of its own, so callers match `code`
 * and never the class of what lies beneath.
 */
export class ClickHouseFailure extends Error {
  override readonly name = 'ClickHouseFailure';

  constructor(
    message: string,
    /** ClickHouse's number as text (`60`), a system code (`ECONNREFUSED`) or `UNKNOWN`. */
    readonly code: string,
    /** ClickHouse's name of the error (`UNKNOWN_TABLE`), null if it is not the engine's. */
    readonly type: string | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** True if the server could not be reached or was overloaded: waiting may help, changing nothing else. */
  get retryable(): boolean {
    return this.type === null ? this.code !== 'INVALID' : PASSING.has(this.code);
  }
}

const ENGINE_ERROR = /Code: (\d+)\. DB::Exception: ([\s\S]*?)(?:\(([A-Z][A-Z0-9_]+)\)|$)/;

function textField(error: unknown, field: string): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Turns whatever a backend threw into a `ClickHouseFailure`. */
export function failureOf(error: unknown): ClickHouseFailure {
  if (error instanceof ClickHouseFailure) return error;
  const message = messageOf(error);
  const engine = ENGINE_ERROR.exec(message);
  if (engine?.[1] !== undefined)
    return new ClickHouseFailure(message, engine[1], engine[3] ?? 'UNKNOWN', { cause: error });
  const code = textField(error, 'code');
  const type = textField(error, 'type');
  if (code !== null && /^\d+$/.test(code))
    return new ClickHouseFailure(message, code, type ?? 'UNKNOWN', { cause: error });
  return new ClickHouseFailure(message || 'ClickHouse is not reachable', code ?? 'UNKNOWN', null, {
    cause: error,
  });
}
