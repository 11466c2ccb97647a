import { type DynamicModule, Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';

@Module({})
export class ConsoleModule {
  static forRoot(_options: object): DynamicModule {
    return { module: ConsoleModule };
  }
}

export function configureConsole(_app: NestExpressApplication): void {}
