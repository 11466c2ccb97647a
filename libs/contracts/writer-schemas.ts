/** Writer schemas by id, asked for once; ids that do not exist are remembered for a while. */
import { messageOf } from '#pipeline';
import { isBounded, parseType, type AvroType } from './avro-schema.js';
import type { FoundSchema, SchemaRegistry } from './schema-registry.js';

export type WriterSchema =
  | { readonly state: 'known'; readonly type: AvroType }
  /** There is such a schema, but none that could ever be a source event's. */
  | { readonly state: 'unfit'; readonly detail: string }
  | { readonly state: 'missing'; readonly askAgainAt: number };

export interface WriterSchemasOptions {
  readonly now: () => number;
  /** How long a missing id is not asked for again. */
  readonly missingMs: number;
  /** Missing ids kept at most; the oldest go first. */
  readonly missingMax: number;
}

/** Requests in flight at most when a batch brings many new ids. */
const CONCURRENT_MAX = 8;

export class WriterSchemas {
  private readonly byId = new Map<number, WriterSchema>();
  private readonly missing = new Set<number>();

  constructor(
    private readonly registry: SchemaRegistry,
    private readonly options: WriterSchemasOptions,
  ) {}

  get(id: number): WriterSchema | undefined {
    return this.byId.get(id);
  }

  mustAsk(id: number): boolean {
    const known = this.byId.get(id);
    if (known === undefined) return true;
    return known.state === 'missing' && this.options.now() >= known.askAgainAt;
  }

  /** @throws RegistryUnavailableError; what was answered until then is kept */
  async ask(ids: ReadonlySet<number>): Promise<void> {
    const queue = [...ids];
    while (queue.length > 0) {
      await Promise.all(queue.splice(0, CONCURRENT_MAX).map((id) => this.askOne(id)));
    }
  }

  private async askOne(id: number): Promise<void> {
    const found = await this.registry.schemaOf(id);
    if (found !== null) {
      this.missing.delete(id);
      this.byId.set(id, writerSchema(found));
      return;
    }
    this.missing.delete(id);
    this.missing.add(id);
    this.byId.set(id, { state: 'missing', askAgainAt: this.options.now() + this.options.missingMs });
  }

  /** Drops the oldest missing ids beyond the limit. Between batches only: `get` must answer after `ask`. */
  trim(): void {
    for (const id of this.missing) {
      if (this.missing.size <= this.options.missingMax) return;
      this.missing.delete(id);
      this.byId.delete(id);
    }
  }
}

function writerSchema(found: FoundSchema): WriterSchema {
  if (!found.avro) return { state: 'unfit', detail: found.detail };
  try {
    if (!isBounded(found.text)) return { state: 'unfit', detail: 'arrays, maps and recursion are not read' };
    return { state: 'known', type: parseType(found.text) };
  } catch (error) {
    return { state: 'unfit', detail: messageOf(error) };
  }
}
