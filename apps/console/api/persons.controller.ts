import { Controller, Get, Param, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { personRow, persons, type PersonFigures } from '#clickhouse';
import { ConsoleService } from '../console.service.js';
import { foldProgress } from '../figures/fold-progress.js';
import { progressStamp } from '../figures/stamp-of.js';
import { isoOrNull, stampSchema } from '../figures/stamp.js';
import { ApiAnswer } from '../http/api-answer.js';
import { unknownValue } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const { brand, scheme, tier, after, limit } = PARAMS;
const PERSON = { brand, scheme };
const PERSONS = { brand, scheme, tier, after, limit };

const personSchema = z.object({
  person: z.string().describe('Pseudonym'),
  period_id: z.string(),
  tier: z.int(),
  purchase_days: z.int().describe('Days that count in the scheme’s period'),
  orders: z.int().describe('Lifetime'),
  own_value_minor: z.int().describe('Lifetime, paid less refunded: own part of FAST+ CLV'),
  first_purchase: z.iso.datetime().nullable(),
  last_purchase: z.iso.datetime().nullable(),
  is_member: z.boolean(),
});
const personAnswerSchema = personSchema.extend({ brand: z.string(), stamp: stampSchema });
const personsAnswerSchema = z.object({
  brand: z.string(),
  persons: z.array(personSchema).readonly(),
  next: z.string().nullable().describe('`after` of the next page; null: this was the last one'),
  stamp: stampSchema,
});

@ApiTags('persons')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class PersonsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('persons')
  @ApiOperation({ summary: 'Persons under a scheme in the order of their ids, page by page' })
  @ApiParams(PERSONS)
  @ApiAnswer(personsAnswerSchema)
  async persons(
    @Params(PERSONS) params: ParamsOf<typeof PERSONS>,
  ): Promise<z.infer<typeof personsAnswerSchema>> {
    const { clickhouse, catalogue, partitionsTotal } = this.service;
    const { brand, schemeId } = await catalogue.resolve(params);
    const progress = await foldProgress(clickhouse);
    const { limit } = params;
    const found = await persons(clickhouse, {
      ...{ brand, schemeId, limit },
      ...(params.tier === undefined ? {} : { tier: params.tier }),
      ...(params.after === undefined ? {} : { after: params.after }),
    });
    return {
      brand,
      persons: found.map(personAnswer),
      next: found.length < limit ? null : (found.at(-1)?.person ?? null),
      stamp: progressStamp(progress, partitionsTotal, schemeId),
    };
  }

  @Get('persons/:person')
  @ApiOperation({ summary: 'One person under a scheme' })
  @ApiParam({ name: 'person', description: 'Pseudonym' })
  @ApiParams(PERSON)
  @ApiAnswer(personAnswerSchema)
  async person(
    @Param('person') person: string,
    @Params(PERSON) params: ParamsOf<typeof PERSON>,
  ): Promise<z.infer<typeof personAnswerSchema>> {
    const { clickhouse, catalogue, partitionsTotal } = this.service;
    const { brand, schemeId } = await catalogue.resolve(params);
    const progress = await foldProgress(clickhouse);
    const found = await personRow(clickhouse, { brand, schemeId, person });
    if (found === null) throw unknownValue('person', `${brand} knows no person ${person}`);
    return { brand, ...personAnswer(found), stamp: progressStamp(progress, partitionsTotal, schemeId) };
  }
}

function personAnswer(person: PersonFigures): z.infer<typeof personSchema> {
  return {
    ...person,
    first_purchase: isoOrNull(person.first_purchase),
    last_purchase: isoOrNull(person.last_purchase),
  };
}
