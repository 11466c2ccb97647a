/** The registry port: schemas by id, ids by schema. */
import { RegistryUnavailableError } from '#pipeline';

export interface SchemaRegistry {
  /**
   * The id under which this schema is written to the subject; registers it where that is allowed.
   * @throws RegistryUnavailableError    cannot be asked now
   * @throws IncompatibleSchemaError     the registry refuses it
   * @throws UnregisteredSchemaError     not there, and we may not register
   */
  idOf(subject: string, schemaText: string): Promise<number>;
  /**
   * The schema with this id; null if there is none.
   * @throws RegistryUnavailableError    cannot be asked now
   */
  schemaOf(id: number): Promise<FoundSchema | null>;
  /**
   * Would the registry take this schema as the subject's next version? Registers nothing.
   * @throws RegistryUnavailableError
   */
  check(subject: string, schemaText: string): Promise<SchemaCheck>;
}

export type FoundSchema =
  | { readonly avro: true; readonly text: string }
  /** A schema of another kind, or one that cannot be parsed. */
  | { readonly avro: false; readonly detail: string };

export type SchemaCheck =
  | { readonly state: 'registered'; readonly id: number }
  | { readonly state: 'new' }
  | { readonly state: 'compatible' }
  | { readonly state: 'incompatible'; readonly detail: string };

export class IncompatibleSchemaError extends Error {
  override readonly name = 'IncompatibleSchemaError';
}
export class UnregisteredSchemaError extends Error {
  override readonly name = 'UnregisteredSchemaError';
}
export { RegistryUnavailableError };
