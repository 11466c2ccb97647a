import { Controller, Get, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { ConsoleService } from '../console.service.js';
import { foldProgress } from '../figures/fold-progress.js';
import { progressStamp } from '../figures/stamp-of.js';
import { isoOrNull, stampSchema, type Stamp } from '../figures/stamp.js';
import { ApiAnswer } from '../http/api-answer.js';
import { badParameter, unknownValue } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, readAt, TIERS_PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';
import { goneSignal, streamAnswer } from '../http/stream-answer.js';
import { EmptyLogError, foldTiers, SeveralBrandsError, type FoldedTiers } from '../tiers/fold-tiers.js';
import { parsePeriod, SCHEME_EXPECTED } from '../tiers/scheme-text.js';

const TIERS = { brand: PARAMS.brand, zone: PARAMS.zone, ...TIERS_PARAMS };
type TiersParams = ParamsOf<typeof TIERS>;

const tiersAnswerSchema = z.object({
  brand: z.string().nullable(),
  scheme: z.string(),
  zone: z.string(),
  stamp: stampSchema,
  persons: z.array(
    z.object({
      person: z.string(),
      tier: z.int(),
      purchase_days: z.int().describe('That count in the scheme’s period'),
      orders: z.int().describe('Lifetime, as what follows'),
      own_value_minor: z.int(),
      first_purchase: z.iso.datetime().nullable(),
      last_purchase: z.iso.datetime().nullable(),
    }),
  ),
});

@ApiTags('persons')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class TiersController {
  constructor(private readonly service: ConsoleService) {}

  @Get('tiers')
  @ApiOperation({
    summary:
      'Everybody’s tier under any scheme at any instant, folded from the log: the rows of `gravity tiers`',
    description:
      'Reads the whole log and holds all states while it does: one question is answered at a time.',
  })
  @ApiParams(TIERS)
  @ApiAnswer(tiersAnswerSchema)
  async tiers(@Params(TIERS) params: TiersParams, @Res() response: Response): Promise<void> {
    const folded = await this.fold(params, goneSignal(response));
    // Nobody had a tier then; or there is no such brand.
    if (folded.rows.length === 0) await this.service.catalogue.assertBrand(params.brand);
    const stamp = await this.stamp(params.scheme, folded);
    const head = { brand: folded.brand, scheme: params.scheme, zone: folded.zone, stamp };
    await streamAnswer(response, head, 'persons', folded.rows);
  }

  private async fold(params: TiersParams, gone: AbortSignal): Promise<FoldedTiers> {
    const { scheme, brand = null, zone = null, at } = params;
    if (parsePeriod(scheme) === null) throw badParameter('scheme', `scheme: ${SCHEME_EXPECTED}`);
    try {
      const before = (dayZone: string): number | null => (at === undefined ? null : readAt(at, dayZone));
      const question = { scheme, brand, zone, before };
      return await this.service.folder.run((source, goOn) => foldTiers(source, question, goOn), gone);
    } catch (error) {
      if (error instanceof SeveralBrandsError) {
        throw badParameter('brand', `brand: needed, since ${error.message}`);
      }
      if (error instanceof EmptyLogError) throw unknownValue('brand', error.message);
      throw error;
    }
  }

  private async stamp(schemeId: string, { at }: FoldedTiers): Promise<Stamp> {
    const progress = await foldProgress(this.service.clickhouse);
    const now = progressStamp(progress, this.service.partitionsTotal, schemeId);
    // It was folded from the log itself, so it holds whatever the log holds.
    const isPast = at !== null && now.watermark !== null && at <= Date.parse(now.watermark);
    return { ...now, as_of: isoOrNull(at), status: isPast ? 'closed' : 'provisional', log_positions: null };
  }
}
