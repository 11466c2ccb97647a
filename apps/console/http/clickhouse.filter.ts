import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ClickHouseFailure } from '#clickhouse';
import { ConsoleService } from '../console.service.js';
import { answerProblem, RETRY_SOON } from './problem.filter.js';

/** A query that failed because ClickHouse is away is a 503 that says since when. */
@Catch(ClickHouseFailure)
export class ClickHouseFilter implements ExceptionFilter<ClickHouseFailure> {
  constructor(private readonly service: ConsoleService) {}

  catch(failure: ClickHouseFailure, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    answerProblem(response, this.service.problemOf(failure), RETRY_SOON);
  }
}
