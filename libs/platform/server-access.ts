/** How the servers let us in: TLS, SASL and the registry's login, by configuration. */
import { readFileSync } from 'node:fs';
import type { KafkaLogOptions } from '#kafka';
import { messageOf } from '#pipeline';
import { ConfigError } from '#runtime';

export interface ServerAccess {
  readonly kafkaTls: boolean;
  /** PEM. */
  readonly kafkaTlsCaFile?: string | undefined;
  readonly kafkaSaslMechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined;
  readonly kafkaSaslUser?: string | undefined;
  readonly kafkaSaslPassword?: string | undefined;
  readonly schemaRegistryUser?: string | undefined;
  readonly schemaRegistryPassword: string;
}

/** @throws ConfigError   a setting makes no sense without another one, or a file cannot be read */
export function kafkaAccess(config: ServerAccess): Pick<KafkaLogOptions, 'ssl' | 'sasl'> {
  const { kafkaTls, kafkaTlsCaFile: caFile, kafkaSaslMechanism: mechanism } = config;
  const { kafkaSaslUser: username, kafkaSaslPassword: password } = config;
  if (caFile !== undefined && !kafkaTls) {
    throw new ConfigError(['KAFKA_TLS_CA_FILE is set, so KAFKA_TLS has to be true']);
  }
  if (mechanism === undefined && (username !== undefined || password !== undefined)) {
    throw new ConfigError(['KAFKA_SASL_USER and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM too']);
  }
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    throw new ConfigError([
      'KAFKA_SASL_MECHANISM is set, so KAFKA_SASL_USER and KAFKA_SASL_PASSWORD are needed too',
    ]);
  }
  return {
    ...(kafkaTls ? { ssl: caFile === undefined ? true : { ca: [authorityOf(caFile)] } } : {}),
    ...(mechanism !== undefined && username !== undefined && password !== undefined
      ? { sasl: { mechanism, username, password } }
      : {}),
  };
}

/** Null: no login. */
export function registryAccess({ schemaRegistryUser: username, schemaRegistryPassword }: ServerAccess): {
  readonly username: string;
  readonly password: string;
} | null {
  return username === undefined ? null : { username, password: schemaRegistryPassword };
}

function authorityOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = messageOf(error);
    throw new ConfigError([`KAFKA_TLS_CA_FILE cannot be read: ${reason}`]);
  }
}
