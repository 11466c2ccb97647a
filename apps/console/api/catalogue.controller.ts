import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ConsoleService } from '../console.service.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';
import { WINDOW_WIDTHS } from '../figures/answer-figures.js';

const NOTHING = {};
const CHANNELS = { brand: PARAMS.brand };

const brandsAnswerSchema = z.object({
  brands: z
    .array(
      z.object({
        brand: z.string(),
        channels: z.array(z.string()).readonly(),
        schemes: z.array(z.string()).readonly().describe('The default one first'),
      }),
    )
    .readonly(),
  windows: z.array(z.string()).readonly(),
  zone: z.string().describe('Zone of the days'),
});
const channelsAnswerSchema = z.object({ brand: z.string(), channels: z.array(z.string()).readonly() });

@ApiTags('catalogue')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class CatalogueController {
  constructor(private readonly service: ConsoleService) {}

  @Get('brands')
  @ApiOperation({ summary: 'Brands that have figures, with their channels and schemes' })
  @ApiAnswer(brandsAnswerSchema)
  async brands(
    @Params(NOTHING) _params: ParamsOf<typeof NOTHING>,
  ): Promise<z.infer<typeof brandsAnswerSchema>> {
    const { catalogue, zone } = this.service;
    return { brands: await catalogue.brands(), windows: [...WINDOW_WIDTHS.keys()], zone };
  }

  @Get('channels')
  @ApiOperation({ summary: 'Channels of a brand that have figures; `all` is always there beside them' })
  @ApiParams(CHANNELS)
  @ApiAnswer(channelsAnswerSchema)
  async channels(
    @Params(CHANNELS) params: ParamsOf<typeof CHANNELS>,
  ): Promise<z.infer<typeof channelsAnswerSchema>> {
    const { brand } = await this.service.catalogue.resolve(params);
    const entry = (await this.service.catalogue.brands()).find((one) => one.brand === brand);
    return { brand, channels: entry?.channels ?? [] };
  }
}
