import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { lastReconciliation, storedDrifts } from '#clickhouse';
import { ConsoleService } from '../console.service.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const RECONCILIATION = { brand: PARAMS.brand.describe('Only this one'), limit: PARAMS.limit };

const count = z.int();
const reconciliationAnswerSchema = z.object({
  run_at: z.iso.datetime().nullable().describe('When the newest run began; null before the first'),
  comparisons: z
    .array(
      z.object({
        brand: z.string(),
        what: z.string(),
        compared: count,
        set_aside: count.describe('Differ by what came too late, or are ahead of the watermark'),
        differ: count,
      }),
    )
    .readonly()
    .describe('Of the newest run'),
  drifts: z
    .array(
      z.object({
        run_at: z.iso.datetime(),
        brand: z.string(),
        what: z.string(),
        place: z.string().describe('Channel and end of a window, or a person'),
        figure: z.string(),
        live: count.nullable().describe('Null: there is none'),
        recount: count.nullable().describe('From the raw facts; null: there is none'),
      }),
    )
    .readonly()
    .describe('Of all runs, the newest first'),
});

@ApiTags('status')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class ReconciliationController {
  constructor(private readonly service: ConsoleService) {}

  @Get('reconciliation')
  @ApiOperation({
    summary: 'What the background reconciliation has compared, and which figures differ from the raw facts',
  })
  @ApiParams(RECONCILIATION)
  @ApiAnswer(reconciliationAnswerSchema)
  async reconciliation(
    @Params(RECONCILIATION) { brand = '', limit }: ParamsOf<typeof RECONCILIATION>,
  ): Promise<z.infer<typeof reconciliationAnswerSchema>> {
    const { clickhouse } = this.service;
    const [last, drifts] = await Promise.all([
      lastReconciliation(clickhouse),
      storedDrifts(clickhouse, { brand, limit }),
    ]);
    const runAt = last[0]?.runAt;
    return {
      run_at: runAt === undefined ? null : new Date(runAt).toISOString(),
      comparisons: last
        .filter((one) => brand === '' || one.brand === brand)
        .map(({ brand: of, what, compared, setAside, differ }) => {
          return { brand: of, what, compared, set_aside: setAside, differ };
        }),
      drifts: drifts.map(({ runAt: at, ...drift }) => ({ run_at: new Date(at).toISOString(), ...drift })),
    };
  }
}
