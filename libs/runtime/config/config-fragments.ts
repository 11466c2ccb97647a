/** Settings that several apps have, to be spread into an app's own schema: `z.object({ ...serverSettings, … })`. */
import {
  brokers,
  choice,
  duration,
  flag,
  httpUrl,
  integer,
  path,
  port,
  secret,
  text,
} from './setting-types.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What every app has. */
export const serverSettings = {
  nodeEnv: text().prefault('development').describe('Node’s own: development, test or production'),
  logLevel: choice(LOG_LEVELS).prefault('info').describe('The least severe line to be logged'),
  host: text()
    .prefault('127.0.0.1')
    .describe('Address to listen on; 0.0.0.0 opens the port to the network, and there is no login'),
  port: port().prefault('8080').describe('Port of health, metrics and API; 0 takes a free one'),
  shutdownMs: duration()
    .prefault('20s')
    .describe('How long an orderly shutdown may take before it is cut off'),
  pollAgeMaxMs: duration()
    .prefault('5m')
    .describe('A consumer that has not asked for records for so long counts as dead'),
};

export const dataDirSettings = {
  dataDir: path().prefault('.gravity').describe('Folder of the local store; one process at a time owns it'),
};

export const kafkaSettings = {
  kafkaBrokers: brokers().describe('Kafka brokers as host:port, separated by commas'),
  schemaRegistryUrl: httpUrl().describe('Schema registry with Confluent’s API'),
};

/** How Kafka and the registry let us in; they may be unset all together. */
export const kafkaAccessSettings = {
  kafkaTls: flag().prefault('false').describe('Whether the brokers speak TLS'),
  kafkaTlsCaFile: path()
    .optional()
    .describe('PEM file of who has signed the brokers’ certificates; unset: the well-known authorities'),
  kafkaSaslMechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('How to log in to the brokers; unset: not at all'),
  kafkaSaslUser: text().optional().describe('User at the brokers; needed with KAFKA_SASL_MECHANISM'),
  kafkaSaslPassword: secret().optional().describe('Password at the brokers'),
  schemaRegistryUser: text().optional().describe('User at the schema registry; unset: no login'),
  schemaRegistryPassword: secret().prefault('').describe('Password at the schema registry'),
};

export const clickhouseSettings = {
  clickhouseUrl: httpUrl().describe('ClickHouse over HTTP'),
  clickhouseUser: text().prefault('default').describe('ClickHouse user'),
  clickhousePassword: secret().prefault('').describe('ClickHouse password'),
};

/** How a consumer of Kafka spaces its batches, each of which is a transaction. */
export const paceSettings = (pace: string) => ({
  batchPaceMs: duration()
    .prefault(pace)
    .describe(
      'How far apart the batches of a partition begin that is read to its end: rarer ones cost less; up to twice as far apart while they take long',
    ),
});

/** How a consumer reads. */
export const consumerSettings = {
  batchRecordsMax: integer(1, 1_000_000).prefault('5000').describe('Records in one batch at most'),
};
