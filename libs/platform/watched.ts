/** Adapters that tell whether their server answers, so that readiness says so in the middle of the night too. */
import { type ClickHouse, ClickHouseFailure, RowEncoder } from '#clickhouse';
import type { SchemaRegistry } from '#contracts';
import { RegistryUnavailableError } from '#pipeline';
import type { Dependency } from '#runtime';

/** A dependency that is asked again by itself once a use of it has failed, until it answers. */
class Watch {
  #asking = false;

  constructor(
    private readonly status: Dependency,
    private readonly ask: () => Promise<unknown>,
    private readonly isAway: (error: unknown) => boolean,
    private readonly signal: AbortSignal,
  ) {}

  async over<T>(use: Promise<T>): Promise<T> {
    try {
      const answer = await use;
      this.status.up();
      return answer;
    } catch (error) {
      if (this.isAway(error)) this.#gone(error);
      throw error;
    }
  }

  #gone(error: unknown): void {
    this.status.down(error);
    if (this.#asking || this.signal.aborted) return;
    this.#asking = true;
    this.status
      .waitFor(this.ask, this.signal)
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }
}

export function watchedClickHouse(inner: ClickHouse, status: Dependency, signal: AbortSignal): ClickHouse {
  const isAway = (error: unknown): boolean => error instanceof ClickHouseFailure && error.retryable;
  const watch = new Watch(status, () => inner.ping(), isAway, signal);
  const asked: Pick<ClickHouse, 'insertEncoded' | 'columnTypes'> = {
    insertEncoded: (insert) => watch.over(inner.insertEncoded(insert)),
    columnTypes: (table) => watch.over(inner.columnTypes(table)),
  };
  // An insert of no rows goes well wherever the server is: only what the encoder sends and asks says something.
  const encoder = new RowEncoder(asked);
  return {
    ...asked,
    backend: inner.backend,
    command: (statement) => watch.over(inner.command(statement)),
    insert: (insert) => encoder.insert(insert),
    query: (query) => watch.over(inner.query(query)),
    ping: () => inner.ping(),
    close: () => inner.close(),
  };
}

/** An id that nobody has: what was found once is answered from the client's cache, though the registry is away. */
const ABSENT_ID = 2 ** 31 - 1;

export function watchedRegistry(
  inner: SchemaRegistry,
  status: Dependency,
  signal: AbortSignal,
): SchemaRegistry {
  const isAway = (error: unknown): boolean => error instanceof RegistryUnavailableError;
  const watch = new Watch(status, () => inner.schemaOf(ABSENT_ID), isAway, signal);
  return {
    idOf: (subject, schemaText) => watch.over(inner.idOf(subject, schemaText)),
    schemaOf: (id) => watch.over(inner.schemaOf(id)),
    check: (subject, schemaText) => watch.over(inner.check(subject, schemaText)),
  };
}
