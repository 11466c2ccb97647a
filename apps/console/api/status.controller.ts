import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ConsoleService } from '../console.service.js';
import { statusSchema, type StatusAnswer } from '../console-status.js';
import { ApiAnswer } from '../http/api-answer.js';
import type { ParamsOf } from '../http/params.js';
import { Params } from '../http/params-pipe.js';

const NOTHING = {};

@ApiTags('status')
@Controller('api/v1')
export class StatusController {
  constructor(private readonly service: ConsoleService) {}

  @Get('status')
  @ApiOperation({ summary: 'Readiness, how far the log has been read, what is away; answers at all times' })
  @ApiAnswer(statusSchema)
  status(@Params(NOTHING) _params: ParamsOf<typeof NOTHING>): Promise<StatusAnswer> {
    return this.service.status.read();
  }
}
