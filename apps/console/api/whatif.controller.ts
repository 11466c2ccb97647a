import { Controller, Get, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ConsoleService } from '../console.service.js';
import { isoOrNull } from '../figures/stamp.js';
import { ApiAnswer } from '../http/api-answer.js';
import { badParameter, unknownValue } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, readAt, WHAT_IF_PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';
import { goneSignal, streamAnswer } from '../http/stream-answer.js';
import { EmptyLogError } from '../tiers/fold-tiers.js';
import { parsePeriod, SCHEME_EXPECTED } from '../tiers/scheme-text.js';
import { foldWhatIf, UnknownSchemeError, type WhatIf } from '../whatif/fold-what-if.js';
import { whatIfAnswerSchema } from '../whatif/what-if-answer.js';

const WHAT_IF = { brand: PARAMS.brand.describe('Only this one'), zone: PARAMS.zone, ...WHAT_IF_PARAMS };
type WhatIfParams = ParamsOf<typeof WHAT_IF>;

@ApiTags('persons')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class WhatIfController {
  constructor(private readonly service: ConsoleService) {}

  @Get('whatif')
  @ApiOperation({
    summary: 'Tiers and Conversion as they would be under another scheme, beside those under one of the log',
    description:
      'Reads the whole log, writes and publishes nothing, and holds all states while it does: one question is answered at a time.',
  })
  @ApiParams(WHAT_IF)
  @ApiAnswer(whatIfAnswerSchema)
  async whatIf(@Params(WHAT_IF) params: WhatIfParams, @Res() response: Response): Promise<void> {
    const { at, moved, ...answer } = await this.fold(params, goneSignal(response));
    if (answer.brands.length === 0) await this.service.catalogue.assertBrand(params.brand);
    await streamAnswer(response, { as_of: isoOrNull(at), ...answer }, 'moved', params.moved ? moved : []);
  }

  private async fold(params: WhatIfParams, gone: AbortSignal): Promise<WhatIf> {
    const { scheme, against = null, brand = null, zone = null, zero_orders, at } = params;
    if (parsePeriod(scheme) === null) throw badParameter('scheme', `scheme: ${SCHEME_EXPECTED}`);
    const question = {
      ...{ scheme, against, brand, zone },
      zeroOrderCounts: zero_orders === undefined ? null : zero_orders === 'count',
      before: (dayZone: string) => (at === undefined ? null : readAt(at, dayZone)),
    };
    try {
      return await this.service.folder.run((source, goOn) => foldWhatIf(source, question, goOn), gone);
    } catch (error) {
      if (error instanceof UnknownSchemeError) throw badParameter('against', `against: ${error.message}`);
      if (error instanceof EmptyLogError) throw unknownValue('brand', error.message);
      throw error;
    }
  }
}
