import { applyDecorators, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { RethrowFilter } from './rethrow.filter.js';

/** The pattern of a handler for all topics of its consumer that have no handler of their own. */
export const ANY_TOPIC = '*';

/**
 * Makes a controller's method the handler of a topic's batches:
 * `@OnBatch('relationship-log', TRANSPORT) fold(batch: RecordBatch, control: BatchContext): Promise<void>`.
 * When it returns, the batch is done; when it throws, the error reaches the consumer as it is and the batch comes
 * again.
 *
 * @param topic      a topic, or `ANY_TOPIC`
 * @param transport  the symbol of the consumer (`LogServer`) that the method belongs to
 */
export function OnBatch(topic: string, transport: symbol): MethodDecorator {
  return applyDecorators(EventPattern<string>(topic, transport), UseFilters(RethrowFilter), passBoth);
}

/** Nest hands only the payload to a method whose parameters are not decorated. */
const passBoth: MethodDecorator = (target, key) => {
  Payload()(target, key, 0);
  Ctx()(target, key, 1);
};
