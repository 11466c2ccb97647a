import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { tierChanges, type TierChangesQuery } from '#clickhouse';
import { ConsoleService } from '../console.service.js';
import { foldProgress } from '../figures/fold-progress.js';
import { progressStamp } from '../figures/stamp-of.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';
import { cursorAfter } from './cursor.js';
import { cursorFromText, cursorText } from './page-cursor.js';
import {
  storedTierChangeAnswer,
  tierChangesAnswerSchema,
  type TierChangesAnswer,
} from './tier-change-answer.js';

const { brand, scheme, person, order, after, limit } = PARAMS;
const TIER_CHANGES = { brand, scheme, person, order, after, limit };

@ApiTags('persons')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class TierChangesController {
  constructor(private readonly service: ConsoleService) {}

  @Get('tier-changes')
  @ApiOperation({ summary: 'Tier changes, page by page; without a scheme: of all schemes' })
  @ApiParams(TIER_CHANGES)
  @ApiAnswer(tierChangesAnswerSchema)
  async tierChanges(@Params(TIER_CHANGES) params: ParamsOf<typeof TIER_CHANGES>): Promise<TierChangesAnswer> {
    const { clickhouse, catalogue, partitionsTotal } = this.service;
    const { brand } = await catalogue.resolve(params);
    const after = cursorAfter(params.after, cursorFromText);
    const query: TierChangesQuery = {
      ...{ brand, order: params.order === 'newest' ? 'newest' : 'oldest', limit: params.limit },
      ...(params.scheme === undefined ? {} : { schemeId: params.scheme }),
      ...(params.person === undefined ? {} : { person: params.person }),
      after,
    };
    const progress = await foldProgress(clickhouse);
    const found = await tierChanges(clickhouse, query);
    const last = found.length < params.limit ? undefined : found.at(-1);
    return {
      brand,
      changes: found.map(storedTierChangeAnswer),
      next: last === undefined ? null : cursorText(last),
      stamp: progressStamp(progress, partitionsTotal, params.scheme ?? null),
    };
  }
}
