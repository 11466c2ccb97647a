import { Controller } from '@nestjs/common';
import type { RecordBatch } from '#pipeline';
import { ANY_TOPIC, type BatchContext, OnBatch } from '#transport';
import { IntakeService } from './intake.service.js';

export const INTAKE_TRANSPORT = Symbol('intake');

@Controller()
export class IntakeController {
  constructor(private readonly service: IntakeService) {}

  /** Source topics are settings, so one handler serves them all. */
  @OnBatch(ANY_TOPIC, INTAKE_TRANSPORT)
  async takeIn(batch: RecordBatch, control: BatchContext): Promise<void> {
    await this.service.batch(batch, control);
  }
}
