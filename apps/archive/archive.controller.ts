import { Controller } from '@nestjs/common';
import type { RecordBatch } from '#pipeline';
import { ANY_TOPIC, type BatchContext, OnBatch } from '#transport';
import { ArchiveService } from './archive.service.js';

export const ARCHIVE_TRANSPORT = Symbol('archive');

@Controller()
export class ArchiveController {
  constructor(private readonly service: ArchiveService) {}

  @OnBatch(ANY_TOPIC, ARCHIVE_TRANSPORT)
  async store(batch: RecordBatch, control: BatchContext): Promise<void> {
    await this.service.batch(batch, control);
  }
}
