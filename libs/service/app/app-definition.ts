import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ConsumerHealth } from '#pipeline';
import type { ConfigSchema, LogLevel } from '#runtime';

/** What the chassis itself needs of a configuration: spread `serverSettings` into the schema. */
export interface ServerConfig {
  readonly logLevel: LogLevel;
  readonly host: string;
  readonly port: number;
  readonly shutdownMs: number;
  readonly pollAgeMaxMs: number;
}

/** A transport strategy that consumes a log in batches (`LogServer` of `#transport`). */
export interface ConsumerStrategy extends CustomTransportStrategy {
  /** For health and the log. */
  readonly name: string;
  health(): ConsumerHealth;
  /** Stops polling, lets the batches in hand finish and leaves the group; may be called again. */
  close(): Promise<void>;
}

/** What an app is made of. */
export interface AppParts<Config extends ServerConfig> {
  readonly name: string;
  module(config: Config): Type | DynamicModule;
  /** The app's consumers, taken from its container; each becomes a microservice of its own. */
  strategies?(app: INestApplicationContext): readonly ConsumerStrategy[];
  /** Routes, static files, API documents: before the app listens. */
  configure?(app: NestExpressApplication, config: Config): void;
  /**
   * After HTTP listens (so that health tells what is waited for) and before the consumers start: waits for
   * dependencies, applies migrations. Must end when the signal is aborted.
   */
  prepare?(app: INestApplicationContext, config: Config, signal: AbortSignal): Promise<void>;
  /** Once all of it runs. */
  started?(app: INestApplicationContext, url: string): void;
}

/** An app that can be run as a process. */
export interface AppDefinition<Config extends ServerConfig> extends AppParts<Config> {
  /** One line for `--help`. */
  readonly description: string;
  readonly config: ConfigSchema<Config>;
}
