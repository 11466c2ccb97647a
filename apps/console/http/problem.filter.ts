import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ApiProblem } from './api-problem.js';

/** What a refusal looks like over HTTP; a stream that has begun is broken off. */
@Catch(ApiProblem)
export class ProblemFilter implements ExceptionFilter<ApiProblem> {
  catch({ problem }: ApiProblem, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return void response.destroy();
    response.status(problem.statusCode).json(problem);
  }
}
