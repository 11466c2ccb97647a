import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ConsoleService } from '../console.service.js';
import {
  answerTierFlows,
  tierFlowsAnswerSchema,
  type TierFlowsAnswer,
} from '../figures/answer-tier-flows.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ApiProblem, badParameter } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { FLOWS_PARAMS, PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const FLOWS = { brand: PARAMS.brand, scheme: PARAMS.scheme, ...FLOWS_PARAMS };

@ApiTags('figures')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class TierFlowsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('tier-flows')
  @ApiOperation({
    summary: 'How many moved from which tier to which, and why, from the published tier changes',
    description: 'For a period of the scheme ask for its days.',
  })
  @ApiParams(FLOWS)
  @ApiAnswer(tierFlowsAnswerSchema)
  async tierFlows(@Params(FLOWS) params: ParamsOf<typeof FLOWS>): Promise<TierFlowsAnswer> {
    const { catalogue, clickhouse, partitionsTotal, zone } = this.service;
    const { brand, schemeId } = await catalogue.resolve(params);
    const { from_day: fromDay = null, to_day: toDay = null } = params;
    if (fromDay !== null && toDay !== null && fromDay > toDay) {
      throw badParameter('from_day', 'from_day: expected a day that is not after `to_day`');
    }
    const byDay = params.by === 'day';
    const question = { brand, schemeId, fromDay, toDay, byDay, zone, partitionsTotal };
    const answer = await answerTierFlows(clickhouse, question);
    if (answer === null) throw new ApiProblem(503, 'nothing has been computed yet: the log is being folded');
    return answer;
  }
}
