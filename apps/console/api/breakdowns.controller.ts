import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ConsoleService } from '../console.service.js';
import {
  answerBreakdowns,
  breakdownsAnswerSchema,
  type BreakdownsAnswer,
} from '../figures/answer-breakdowns.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ApiProblem } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, readAt, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const { brand, channel, window, at, scheme } = PARAMS;
const BREAKDOWNS = { brand, channel, window, at, scheme };

@ApiTags('figures')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class BreakdownsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('breakdowns')
  @ApiOperation({
    summary:
      'Links of a window by kind and source; GMV by tier before the order, relation, source and domain',
    description: 'Counted from the raw facts when asked: reads all links and orders of the brand.',
  })
  @ApiParams(BREAKDOWNS)
  @ApiAnswer(breakdownsAnswerSchema)
  async breakdowns(@Params(BREAKDOWNS) params: ParamsOf<typeof BREAKDOWNS>): Promise<BreakdownsAnswer> {
    const asked = await this.service.catalogue.resolve(params);
    const { clickhouse, partitionsTotal, zone } = this.service;
    const at = params.at === undefined ? null : readAt(params.at, zone);
    const question = { ...asked, window: params.window, at, partitionsTotal };
    const answer = await answerBreakdowns(clickhouse, question);
    if (answer === null) throw new ApiProblem(503, 'nothing has been computed yet: the log is being folded');
    return answer;
  }
}
