import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { windowSeries } from '#clickhouse';
import { DayCalendar, DEFAULT_WINDOWS, dayFromText } from '#domain';
import { ConsoleService } from '../console.service.js';
import { answerFigures, periodAnswer } from '../figures/answer-figures.js';
import {
  figuresAnswerSchema,
  periodAnswerSchema,
  seriesAnswerSchema,
  type FiguresAnswer,
  type PeriodAnswer,
  type SeriesAnswer,
} from '../figures/answers.js';
import { foldProgress, leastWatermark } from '../figures/fold-progress.js';
import { periodCloses, periodRows } from '../figures/period-rows.js';
import { progressStamp } from '../figures/stamp-of.js';
import { type Stamp, stampSchema } from '../figures/stamp.js';
import { ApiAnswer } from '../http/api-answer.js';
import { ApiProblem, badParameter } from '../http/api-problem.js';
import { ClickHouseFilter } from '../http/clickhouse.filter.js';
import { PARAMS, readAt, type ParamsOf } from '../http/params.js';
import { ApiParams, Params } from '../http/params-pipe.js';

const { brand, channel, window, at, scheme, from, to, points, by, limit } = PARAMS;
const FIGURES = { brand, channel, window, at, scheme };
const SERIES = { brand, channel, window, from, to, points };
const PERIODS = { brand, channel, scheme, by, limit };

const periodsAnswerSchema = z
  .object({
    brand: z.string(),
    channel: z.string(),
    periods: z.array(periodAnswerSchema).readonly().describe('Newest first'),
    stamp: stampSchema,
  })
  .readonly();

/** Ends that a series is picked from at most. */
const ENDS_MAX = 100_000;
/** Ends that a series shows unless told from when. */
const ENDS_SHOWN = 240;

@ApiTags('figures')
@UseFilters(ClickHouseFilter)
@Controller('api/v1')
export class FiguresController {
  constructor(private readonly service: ConsoleService) {}

  @Get('figures')
  @ApiOperation({ summary: 'The FAST+ figures of a brand, live or as of an instant' })
  @ApiParams(FIGURES)
  @ApiAnswer(figuresAnswerSchema)
  async figures(@Params(FIGURES) params: ParamsOf<typeof FIGURES>): Promise<FiguresAnswer> {
    const asked = await this.service.catalogue.resolve(params);
    const { partitionsTotal, zone, clickhouse } = this.service;
    const at = params.at === undefined ? null : readAt(params.at, zone);
    const question = { ...asked, window: params.window, at, partitionsTotal, zone };
    const answer = await answerFigures(clickhouse, question);
    if (answer === null) throw new ApiProblem(503, 'nothing has been computed yet: the log is being folded');
    return answer;
  }

  @Get('series')
  @ApiOperation({ summary: 'The figures of a window over its ends' })
  @ApiParams(SERIES)
  @ApiAnswer(seriesAnswerSchema)
  async series(@Params(SERIES) params: ParamsOf<typeof SERIES>): Promise<SeriesAnswer> {
    const { clickhouse, partitionsTotal } = this.service;
    const { brand, channel } = await this.service.catalogue.resolve(params);
    const progress = await foldProgress(clickhouse);
    const found = await windowSeries(clickhouse, {
      ...{ brand, channel, window: params.window, pointsMax: params.points },
      ...seriesSpan(params, leastWatermark(progress?.partitions.values() ?? [])),
    });
    return {
      ...{ brand, channel, window: params.window },
      points: found.map(({ end, status, gmv_gross_minor: gross, refunds_minor: refunds, ...counts }) => ({
        ...{ as_of: new Date(end).toISOString(), status, ...counts },
        ...{ gmv_gross_minor: gross, refunds_minor: refunds, gmv_net_minor: gross - refunds },
      })),
      stamp: progressStamp(progress, partitionsTotal, null),
    };
  }

  @Get('periods')
  @ApiOperation({ summary: 'How the periods of a scheme, or their days, have closed' })
  @ApiParams(PERIODS)
  @ApiAnswer(periodsAnswerSchema)
  async periods(
    @Params(PERIODS) params: ParamsOf<typeof PERIODS>,
  ): Promise<{ brand: string; channel: string; periods: readonly PeriodAnswer[]; stamp: Stamp }> {
    const { clickhouse, partitionsTotal: total, zone } = this.service;
    const { brand, channel, schemeId } = await this.service.catalogue.resolve(params);
    const progress = await foldProgress(clickhouse);
    const stamp = progressStamp(progress, total, schemeId);
    if (progress === null) return { brand, channel, periods: [], stamp };
    const { generation } = progress;
    const rows = await periodRows(clickhouse, {
      ...{ brand, channel, schemeId, keep: params.by, generation },
    });
    const calendar = DayCalendar.of(zone);
    const periods = periodCloses(rows, params.by, params.limit, progress).map((close) => {
      const end = calendar.dayStart((dayFromText(close.day) ?? 0) + 1);
      return periodAnswer(close, {
        total,
        generation,
        ...(close.status === 'provisional' ? {} : { asOf: end }),
      });
    });
    return { brand, channel, periods, stamp };
  }
}

/** Without bounds: the newest ends. @throws ApiProblem */
function seriesSpan(params: ParamsOf<typeof SERIES>, watermark: number | null): { from: number; to: number } {
  const slideMs = DEFAULT_WINDOWS.find(({ id }) => id === params.window)?.slideMs ?? 1;
  // Of a replay the present is long ago; and the window that is open ends after it.
  const last = params.to ?? (watermark ?? Date.now()) + slideMs;
  const first = params.from ?? last - ENDS_SHOWN * slideMs;
  if (first > last) throw badParameter('from', 'from: expected an instant that is not after `to`');
  if ((last - first) / slideMs > ENDS_MAX) {
    throw badParameter(
      'from',
      `from: a series spans at most ${ENDS_MAX} ends of a window; ask for a shorter one`,
    );
  }
  return { from: first, to: last };
}
