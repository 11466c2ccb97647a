import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { countLateEvents, lateEvents, type LateEventsFilter, type StoredLateEvent } from '#clickhouse';
import { DEFAULT_WINDOWS } from '#domain';
import { ConsoleService } from '../console.service.js';
import { foldProgress } from '../figures/fold-progress.js';
import { progressStamp } from '../figures/stamp-of.js';
import { stampSchema } from '../figures/stamp.js';
import { ApiAnswer } from '../http/api-answer.js';
import { badParameter } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { LATE_PARAMS, PARAMS, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';
import { cursorAfter } from './cursor.js';
import { lateCursorFromText, lateCursorText } from './late-cursor.js';

const { brand, channel, limit, after } = PARAMS;
const LATE_EVENTS = { brand, channel, ...LATE_PARAMS, limit, after };
type LateEventsParams = ParamsOf<typeof LATE_EVENTS>;

const lateEventSchema = z.object({
  event_id: z.string(),
  person: z.string().describe('Pseudonym'),
  channel: z.string(),
  window: z.string(),
  at: z.iso.datetime().describe('When it happened'),
  arrived_at: z.iso.datetime(),
  late_ms: z.int().describe('How late it was: from when it happened to when it arrived'),
  missed_from: z.iso.datetime().describe('First end that it misses'),
  missed_to: z.iso.datetime().describe('The end after the last one that misses it'),
  missed_ends: z.int().describe('How many ends of the window miss it'),
});
const lateEventsAnswerSchema = z.object({
  brand: z.string(),
  channel: z.string(),
  total: z.int().describe('Entries on all pages'),
  late_events: z.array(lateEventSchema).readonly().describe('By when they happened, the oldest first'),
  next: z.string().nullable().describe('`after` of the next page; null: this was the last one for now'),
  stamp: stampSchema,
});

const SLIDES: ReadonlyMap<string, number> = new Map(DEFAULT_WINDOWS.map(({ id, slideMs }) => [id, slideMs]));

@ApiTags('figures')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class LateEventsController {
  constructor(private readonly service: ConsoleService) {}

  @Get('late-events')
  @ApiOperation({
    summary: 'The late ledger: events that missed ends of a window which were final already',
    description:
      'One entry per event and window. The event counts in all later ends; those it missed stay as they are, ' +
      'unless their period is reopened: see /restatements.',
  })
  @ApiParams(LATE_EVENTS)
  @ApiAnswer(lateEventsAnswerSchema)
  async lateEvents(
    @Params(LATE_EVENTS) params: LateEventsParams,
  ): Promise<z.infer<typeof lateEventsAnswerSchema>> {
    const { clickhouse, catalogue, partitionsTotal } = this.service;
    const cursor = cursorAfter(params.after, lateCursorFromText);
    if (params.from !== undefined && params.to !== undefined && params.from > params.to) {
      throw badParameter('from', 'from: expected an instant that is not after `to`');
    }
    const { brand, channel } = await catalogue.resolve(params);
    const progress = await foldProgress(clickhouse);
    const stamp = progressStamp(progress, partitionsTotal, null);
    if (progress === null) return { brand, channel, total: 0, late_events: [], next: null, stamp };
    const filter = filterOf(params, { brand, channel, generation: progress.generation });
    const [found, total] = await Promise.all([
      lateEvents(clickhouse, { ...filter, after: cursor, limit: params.limit }),
      countLateEvents(clickhouse, filter),
    ]);
    const last = found.length < params.limit ? undefined : found.at(-1);
    const next = last === undefined ? null : lateCursorText(last);
    return { brand, channel, total, late_events: found.map(lateEventAnswer), next, stamp };
  }
}

function filterOf(
  { window, from, to }: LateEventsParams,
  of: Pick<LateEventsFilter, 'brand' | 'generation'> & { readonly channel: string },
): LateEventsFilter {
  return {
    ...of,
    ...(window === undefined ? {} : { window }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function lateEventAnswer(late: StoredLateEvent): z.infer<typeof lateEventSchema> {
  const missedMs = late.missedTo - late.missedFrom;
  return {
    ...{ event_id: late.eventId, person: late.person, channel: late.channel, window: late.window },
    at: new Date(late.at).toISOString(),
    arrived_at: new Date(late.arrivedAt).toISOString(),
    late_ms: late.arrivedAt - late.at,
    missed_from: new Date(late.missedFrom).toISOString(),
    missed_to: new Date(late.missedTo).toISOString(),
    missed_ends: Math.ceil(missedMs / (SLIDES.get(late.window) ?? missedMs)),
  };
}
