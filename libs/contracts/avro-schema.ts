/** Avro schemas as JSON, and the views of them that our code reads and writes. */
import avro from 'avsc';

export type AvroType = InstanceType<typeof avro.Type>;
export type AvroSchema = Parameters<typeof avro.Type.forSchema>[0];
/** Avro's own name for a compiled writer → reader pair. */
export type AvroResolver = ReturnType<AvroType['createResolver']>;

/** @throws if the text is not an Avro schema */
export function parseType(text: string): AvroType {
  const schema: unknown = JSON.parse(text);
  return typeFor(schema);
}

/**
 * The same schema under the names of our code: fields in camelCase, with the schema's own name as an alias.
 * Field names are not in the bytes, so this type writes and reads the same bytes as the original.
 * `constants` adds fields to the root record that are not in the bytes at all and always have the given
 * value (for readers that go through a resolver).
 */
export function camelCasedType(text: string, constants: Readonly<Record<string, string>> = {}): AvroType {
  const root: unknown = camelCased(JSON.parse(text));
  if (isObject(root) && Array.isArray(root.fields)) {
    const added = Object.entries(constants).map(([name, value]) => ({
      name,
      type: 'string',
      default: value,
    }));
    return typeFor({ ...root, fields: [...added, ...(root.fields as unknown[])] });
  }
  return typeFor(root);
}

function typeFor(schema: unknown): AvroType {
  // avsc checks the schema itself; its typing cannot be derived from JSON.
  return avro.Type.forSchema(schema as AvroSchema, { omitRecordMethods: true });
}

function camelCased(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(camelCased);
  if (!isObject(schema)) return schema;
  const { doc: _doc, ...rest } = schema;
  if (Array.isArray(rest.fields)) return { ...rest, fields: rest.fields.map(camelCasedField) };
  if (rest.type === 'array') return { ...rest, items: camelCased(rest.items) };
  return rest;
}

function camelCasedField(field: unknown): unknown {
  if (!isObject(field) || typeof field.name !== 'string') throw new Error('a field without a name');
  const { doc: _doc, name, ...rest } = field;
  const camel = String(name).replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  const aliases = camel === name ? [] : [name];
  return { ...rest, name: camel, aliases, type: camelCased(rest.type) };
}

/**
 * Arrays, maps and recursion let a few broken bytes ask for endless work, so a source schema that has them is
 * not accepted from anybody.
 */
export function isBounded(text: string): boolean {
  const open = new Set<string>();
  const bounded = (schema: unknown): boolean => {
    if (Array.isArray(schema)) return schema.every(bounded);
    if (typeof schema === 'string') return schema !== 'array' && schema !== 'map' && !open.has(schema);
    if (!isObject(schema)) return true;
    if (schema.type === 'array' || schema.type === 'map') return false;
    if (!Array.isArray(schema.fields)) return typeof schema.type === 'string' || bounded(schema.type);
    const names = namesOf(schema);
    names.forEach((name) => open.add(name));
    const fine = schema.fields.every((field: unknown) => !isObject(field) || bounded(field.type));
    names.forEach((name) => open.delete(name));
    return fine;
  };
  return bounded(JSON.parse(text));
}

function namesOf(schema: Record<string, unknown>): readonly string[] {
  const name = typeof schema.name === 'string' ? schema.name : '';
  const namespace = typeof schema.namespace === 'string' ? schema.namespace : '';
  return [name, `${namespace}.${name}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
