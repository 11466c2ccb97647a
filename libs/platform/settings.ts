import {
  brokers,
  clickhouseSettings,
  dataDirSettings,
  httpUrl,
  integer,
  kafkaAccessSettings,
  kafkaSettings,
} from '#runtime';
import type { ServerAccess } from './server-access.js';

/** Of an app that runs as a process of its own: it needs servers, since one process owns an embedded log. */
export const microserviceSettings = {
  ...dataDirSettings,
  ...kafkaSettings,
  ...kafkaAccessSettings,
  ...clickhouseSettings,
};

/** Of a process that holds everything: embedded unless servers are named. */
export const platformSettings = {
  ...dataDirSettings,
  kafkaBrokers: brokers()
    .optional()
    .describe('Kafka brokers as host:port, separated by commas; unset: the embedded log in the data folder'),
  schemaRegistryUrl: httpUrl().optional().describe('Schema registry with Confluent’s API; needed with Kafka'),
  ...kafkaAccessSettings,
  clickhouseUrl: httpUrl()
    .optional()
    .describe('ClickHouse over HTTP; unset: the embedded engine in the data folder'),
  clickhouseUser: clickhouseSettings.clickhouseUser,
  clickhousePassword: clickhouseSettings.clickhousePassword,
  embeddedPartitions: integer(1, 64)
    .prefault('4')
    .describe('Partitions of the embedded relationship log; fixed once the log exists'),
};

/** What `openPlatform` needs to know. */
export interface PlatformConfig extends ServerAccess {
  readonly dataDir: string;
  readonly kafkaBrokers?: readonly string[] | undefined;
  readonly schemaRegistryUrl?: string | undefined;
  readonly clickhouseUrl?: string | undefined;
  readonly clickhouseUser: string;
  readonly clickhousePassword: string;
  readonly embeddedPartitions?: number | undefined;
}
