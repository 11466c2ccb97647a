import { createRequire } from 'node:module';
import { z } from 'zod';

const SUPPORTED = '2.2.4';

/** KafkaJS is frozen at this version; the adapter reaches below its public API, so no other may slip in. */
export function assertKafkaJsVersion(): void {
  const manifest: unknown = createRequire(import.meta.url)('kafkajs/package.json');
  const { version } = z.object({ version: z.string() }).parse(manifest);
  if (version !== SUPPORTED) throw new Error(`libs/kafka is built on kafkajs ${SUPPORTED}, found ${version}`);
}
