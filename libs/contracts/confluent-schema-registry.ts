/** The registry port over a Confluent-compatible schema registry. */
import type { SchemaRegistry as Client, SchemaType } from '@kafkajs/confluent-schema-registry';
import { messageOf } from '#pipeline';
import type { AvroType } from './avro-schema.js';
import { RegistryHttp } from './registry-http.js';
import {
  IncompatibleSchemaError,
  RegistryUnavailableError,
  UnregisteredSchemaError,
  type FoundSchema,
  type SchemaCheck,
  type SchemaRegistry,
} from './schema-registry.js';

export interface ConfluentRegistryOptions {
  /** Base address, with the path of the Confluent API where there is one (`…/apis/ccompat/v7`). */
  readonly url: string;
  readonly auth: { readonly username: string; readonly password: string } | null;
  /** May schemas of ours be registered, or must they be there already? */
  readonly register: boolean;
  /** A request that takes longer counts as unavailable. */
  readonly timeoutMs: number;
}

const NOT_FOUND = 404;
const REFUSED = [409, 422];

export class ConfluentSchemaRegistry implements SchemaRegistry {
  private loaded: Promise<LoadedClient> | null = null;
  private readonly http: RegistryHttp;

  constructor(private readonly options: ConfluentRegistryOptions) {
    this.http = new RegistryHttp(options.url, options.auth, options.timeoutMs);
  }

  async idOf(subject: string, schemaText: string): Promise<number> {
    const registered = await this.registeredId(subject, schemaText);
    if (registered !== null) return registered;
    if (!this.options.register) throw new UnregisteredSchemaError(`${subject}: schema is not registered`);
    const { client, avro } = await this.load();
    try {
      return (await this.within(client.register({ type: avro, schema: schemaText }, { subject }))).id;
    } catch (error) {
      const status = statusOf(error);
      if (status === null && !(error instanceof RegistryUnavailableError)) {
        // Not an answer of the server: the client itself found the subject set up differently.
        throw new IncompatibleSchemaError(`${subject}: ${messageOf(error)}`, { cause: error });
      }
      if (status !== null && REFUSED.includes(status)) {
        throw new IncompatibleSchemaError(`${subject}: ${messageOf(error)}`, { cause: error });
      }
      throw unavailable(error);
    }
  }

  async schemaOf(id: number): Promise<FoundSchema | null> {
    const { client } = await this.load();
    let found: unknown;
    try {
      found = await this.within(client.getSchema(id));
    } catch (error) {
      if (error instanceof RegistryUnavailableError) throw error;
      const status = statusOf(error);
      // No status: the server answered, and the client could not make sense of the schema.
      if (status === null) return { avro: false, detail: messageOf(error) };
      if (status !== NOT_FOUND) throw unavailable(error);
      // A wrong address says 404 to everything; believe it only of something that acts as a registry.
      await this.http.ping();
      return null;
    }
    return isAvroType(found)
      ? { avro: true, text: JSON.stringify(found.schema({ exportAttrs: true })) }
      : { avro: false, detail: 'not an Avro schema' };
  }

  async check(subject: string, schemaText: string): Promise<SchemaCheck> {
    const id = await this.registeredId(subject, schemaText);
    return id === null ? this.http.compatibility(subject, schemaText) : { state: 'registered', id };
  }

  private async registeredId(subject: string, schemaText: string): Promise<number | null> {
    const { client, avro } = await this.load();
    try {
      const schema = { type: avro, schema: schemaText };
      return await this.within(client.getRegistryIdBySchema(subject, schema));
    } catch (error) {
      // The client turns a 404 of this call into an error of its own, without the status.
      if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') {
        await this.http.ping();
        return null;
      }
      throw unavailable(error);
    }
  }

  private load(): Promise<LoadedClient> {
    this.loaded ??= loadClient(this.options);
    return this.loaded;
  }

  private async within<T>(request: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const { timeoutMs } = this.options;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new RegistryUnavailableError(`schema registry: no answer within ${timeoutMs} ms`);
      timer = setTimeout(() => reject(error), timeoutMs);
    });
    try {
      return await Promise.race([request, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface LoadedClient {
  readonly client: Client;
  readonly avro: SchemaType.AVRO;
}

/** On first use: processes without a registry do without the client, which brings along validators of every format. */
async function loadClient({ url, auth }: ConfluentRegistryOptions): Promise<LoadedClient> {
  const { SchemaRegistry, SchemaType } = await import('@kafkajs/confluent-schema-registry');
  // Waiting is the caller's, who can say so in readiness; the client's own retries would hide it.
  const client = new SchemaRegistry({
    ...{ host: url, retry: { retries: 0 } },
    ...(auth === null ? {} : { auth }),
  });
  return { client, avro: SchemaType.AVRO };
}

function unavailable(error: unknown): RegistryUnavailableError {
  if (error instanceof RegistryUnavailableError) return error;
  return new RegistryUnavailableError(`schema registry: ${messageOf(error)}`, { cause: error });
}

/** HTTP status of the client's error; 400 also stands for a connection that failed. */
function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  return typeof error.status === 'number' ? error.status : null;
}

function isAvroType(value: unknown): value is AvroType {
  return typeof value === 'object' && value !== null && 'fromBuffer' in value && 'schema' in value;
}
