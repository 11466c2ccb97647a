import { Controller, Get, Headers, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ConsoleService } from '../console.service.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const { brand, window, scheme } = PARAMS;
const EVENTS = { brand, window, scheme };

@ApiTags('live')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class EventsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('events')
  @ApiOperation({
    summary: 'Server-sent events of one brand: `figures`, `tier-changes`, `status`, and `bye` at the end',
    description:
      '`figures`: when they change, at most once a second; `figures` in it are answers of /figures for all channels ' +
      'and for each. `tier-changes`: as they are published; `skipped` counts those left out of a burst. ' +
      '`status`: every 2 s. A Last-Event-ID goes on after that tier change, if it is still known.',
  })
  @ApiParams(EVENTS)
  @ApiProduces('text/event-stream')
  @ApiResponse({ status: 200, description: 'The events' })
  async events(
    @Params(EVENTS) params: ParamsOf<typeof EVENTS>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const { brand, schemeId } = await this.service.catalogue.resolve(params);
    const { pages } = this.service;
    pages.assertRoom();
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // Nginx would collect events before it passes them on.
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    pages.open(response, { brand, schemeId, window: params.window }, lastEventId ?? null);
  }
}
