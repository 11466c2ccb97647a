import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { restatements } from '#clickhouse';
import { ConsoleService } from '../console.service.js';
import { restatementAnswer, restatementsAnswerSchema } from '../figures/answer-restatements.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const RESTATEMENTS = { brand: PARAMS.brand.describe('Only this one'), limit: PARAMS.limit };

@ApiTags('figures')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class RestatementsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('restatements')
  @ApiOperation({
    summary: 'Closed periods that were counted anew: who did it, why, and by how much each figure changed',
    description: 'The audit of `gravity reopen`. The figures of such ends say `restated`.',
  })
  @ApiParams(RESTATEMENTS)
  @ApiAnswer(restatementsAnswerSchema)
  async restatements(
    @Params(RESTATEMENTS) { brand = '', limit }: ParamsOf<typeof RESTATEMENTS>,
  ): Promise<z.infer<typeof restatementsAnswerSchema>> {
    const found = await restatements(this.service.clickhouse, { brand, limit });
    return { restatements: found.map(restatementAnswer) };
  }
}
