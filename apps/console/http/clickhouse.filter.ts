import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ClickHouseFailure } from '#clickhouse';
import { ConsoleService } from '../console.service.js';

/** A query that failed because ClickHouse is away is a 503 that says since when. */
@Catch(ClickHouseFailure)
export class ClickHouseFilter implements ExceptionFilter<ClickHouseFailure> {
  constructor(private readonly service: ConsoleService) {}

  catch(failure: ClickHouseFailure, host: ArgumentsHost): void {
    const { problem } = this.service.problemOf(failure);
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return void response.destroy();
    response.status(problem.statusCode).set('Retry-After', '2').json(problem);
  }
}
