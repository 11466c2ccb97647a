import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { HealthRegistry, type HealthResult, redactText } from '#runtime';

/** 200 when well, else 503; either way the body says why, part by part. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthRegistry) private readonly registry: HealthRegistry,
    @Inject(HealthCheckService) private readonly terminus: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
  ) {}

  @Get('live')
  @HealthCheck()
  live() {
    return this.answer(this.registry.live());
  }

  @Get('ready')
  @HealthCheck()
  async ready() {
    return this.answer(await this.registry.ready());
  }

  private answer(results: readonly HealthResult[]) {
    return this.terminus.check(
      results.map(({ name, isUp, reason, details }) => () => {
        const indicator = this.indicators.check(name);
        const data = { ...details, message: redactText(reason) };
        return isUp ? indicator.up(data) : indicator.down(data);
      }),
    );
  }
}
