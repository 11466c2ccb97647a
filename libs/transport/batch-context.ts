import { BaseRpcContext } from '@nestjs/microservices';
import type { BatchControl, RecordBatch } from '#pipeline';

/** The second argument of a batch handler. */
export class BatchContext extends BaseRpcContext<[RecordBatch, BatchControl]> implements BatchControl {
  constructor(
    readonly batch: RecordBatch,
    private readonly control: BatchControl,
  ) {
    super([batch, control]);
  }

  heartbeat(): Promise<void> {
    return this.control.heartbeat();
  }

  isStale(): boolean {
    return this.control.isStale();
  }
}
