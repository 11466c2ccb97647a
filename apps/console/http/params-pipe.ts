import { applyDecorators, Query, type PipeTransform } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { badParameter } from './api-problem.js';
import type { ParamShape, ParamsOf } from './params.js';

/** Reads the query of a request: every parameter known, given once, and valid, or a 400 that names it. */
export class ParamsPipe<Shape extends ParamShape> implements PipeTransform<unknown, ParamsOf<Shape>> {
  constructor(private readonly shape: Shape) {}

  /** @throws ApiProblem */
  transform(query: unknown): ParamsOf<Shape> {
    const given = new Map<string, string>();
    const entries: [string, unknown][] =
      typeof query === 'object' && query !== null ? Object.entries(query) : [];
    for (const [name, value] of entries) given.set(name, this.single(name, value));
    const read = Object.entries(this.shape).map(([name, schema]) => {
      const parsed = schema.safeParse(given.get(name));
      if (parsed.success) return [name, parsed.data];
      throw badParameter(name, `${name}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
    });
    return Object.fromEntries(read) as ParamsOf<Shape>;
  }

  private single(name: string, value: unknown): string {
    if (!Object.hasOwn(this.shape, name)) {
      const known = Object.keys(this.shape).join(', ') || 'none';
      throw badParameter(name, `${name}: there is no such parameter here; known are: ${known}`);
    }
    if (typeof value === 'string') return value;
    throw badParameter(name, `${name}: expected one value`);
  }
}

/** `@Params(shape) params: ParamsOf<typeof shape>` */
export function Params(shape: ParamShape): ParameterDecorator {
  return Query(new ParamsPipe(shape));
}

/** Describes the same parameters in the API's description. */
export function ApiParams(shape: ParamShape): MethodDecorator {
  return applyDecorators(
    ...Object.entries(shape).map(([name, schema]) =>
      ApiQuery({
        name,
        required: false,
        description: schema.description ?? '',
        schema: { type: 'string', ...describedValues(schema) },
      }),
    ),
  );
}

/** Enumerations and defaults; everything is text on the way. */
function describedValues(schema: z.ZodType): { enum?: string[]; default?: string } {
  const { enum: words, default: fallback } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return {
    ...(Array.isArray(words) ? { enum: words.map(String) } : {}),
    ...(fallback === undefined || fallback === null
      ? {}
      : { default: JSON.stringify(fallback).replaceAll('"', '') }),
  };
}
