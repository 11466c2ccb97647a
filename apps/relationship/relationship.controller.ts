import { Controller } from '@nestjs/common';
import type { RecordBatch } from '#pipeline';
import { type BatchContext, OnBatch } from '#transport';
import { RelationshipService } from './relationship.service.js';

export const RELATIONSHIP_TRANSPORT = Symbol('relationship');

@Controller()
export class RelationshipController {
  constructor(private readonly service: RelationshipService) {}

  @OnBatch('relationship-log', RELATIONSHIP_TRANSPORT)
  async fold(batch: RecordBatch, control: BatchContext): Promise<void> {
    await this.service.batch(batch, control);
  }
}
