/** Names that the world already has for these things; every other variable starts with `GRAVITY_`. */
const WELL_KNOWN = new Set([
  'KAFKA_BROKERS',
  'KAFKA_TLS',
  'KAFKA_TLS_CA_FILE',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USER',
  'KAFKA_SASL_PASSWORD',
  'SCHEMA_REGISTRY_URL',
  'SCHEMA_REGISTRY_USER',
  'SCHEMA_REGISTRY_PASSWORD',
  'CLICKHOUSE_URL',
  'CLICKHOUSE_USER',
  'CLICKHOUSE_PASSWORD',
  'LOG_LEVEL',
  'NODE_ENV',
]);

export const SETTING_PREFIX = 'GRAVITY_';

/**
 * The environment variable of a configuration key: `dataDir` → `GRAVITY_DATA_DIR`. The unit at the end of a key is
 * left out (`pollMs` → `GRAVITY_POLL`), because a value brings its own (`10s`, `64MiB`).
 */
export function settingName(key: string): string {
  const name = key
    .replace(/(Ms|Bytes)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();
  return WELL_KNOWN.has(name) ? name : SETTING_PREFIX + name;
}
