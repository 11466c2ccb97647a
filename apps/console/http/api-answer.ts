import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

const problemSchema = z.object({
  statusCode: z.int(),
  error: z.string().describe('The status in words'),
  message: z.string(),
  parameter: z.string().optional().describe('The parameter that is wrong'),
  dependency: z.string().optional().describe('What is away'),
  since: z.iso.datetime().optional().describe('Since when it is away'),
});

type Described = Exclude<Parameters<typeof ApiResponse>[0], { type?: unknown }>['schema'];

/** Describes an answer, and the refusals that every route may give. */
export function ApiAnswer(schema: z.ZodType): MethodDecorator {
  return applyDecorators(
    ApiResponse({ status: 200, description: 'The answer', schema: openApiSchema(schema) }),
    ...[
      [400, 'A parameter is wrong'] as const,
      [404, 'There is no such thing'] as const,
      [503, 'Starting, or ClickHouse is away'] as const,
    ].map(([status, description]) =>
      ApiResponse({ status, description, schema: openApiSchema(problemSchema) }),
    ),
  );
}

function openApiSchema(schema: z.ZodType): NonNullable<Described> {
  const inlined = z.toJSONSchema(schema, { target: 'openapi-3.0', reused: 'inline' });
  return JSON.parse(JSON.stringify(inlined)) as NonNullable<Described>;
}
