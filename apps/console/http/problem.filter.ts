import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ApiProblem } from './api-problem.js';

/** Of a refusal that passes by itself, s. */
export const RETRY_SOON = { 'Retry-After': '2' };

/** What a refusal looks like over HTTP; a stream that has begun is broken off. */
export function answerProblem(
  response: Response,
  { problem }: ApiProblem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return void response.destroy();
  response.status(problem.statusCode).set(headers).json(problem);
}

@Catch(ApiProblem)
export class ProblemFilter implements ExceptionFilter<ApiProblem> {
  catch(problem: ApiProblem, host: ArgumentsHost): void {
    answerProblem(host.switchToHttp().getResponse<Response>(), problem);
  }
}
