import { STATUS_CODES } from 'node:http';

/** What the API answers instead of what was asked for. */
export interface Problem {
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  readonly message: string;
  /** The parameter that is wrong. */
  readonly parameter?: string;
  /** What is away, and since when (ISO). */
  readonly dependency?: string;
  readonly since?: string;
}

/** A refusal with a reason that the asker can do something about; no framework's, since the command line asks too. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(
    statusCode: number,
    message: string,
    more: Pick<Problem, 'parameter' | 'dependency' | 'since'> = {},
  ) {
    super(message);
    this.problem = { statusCode, error: STATUS_CODES[statusCode] ?? 'Error', message, ...more };
  }
}

export function badParameter(parameter: string, message: string): ApiProblem {
  return new ApiProblem(400, message, { parameter });
}

export function unknownValue(parameter: string, message: string): ApiProblem {
  return new ApiProblem(404, message, { parameter });
}
