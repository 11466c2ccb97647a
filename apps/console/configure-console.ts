import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { BUILD } from '#runtime';
import type { ConsoleOptions } from './config.js';
import { ConsoleModule } from './console.module.js';
import { ConsoleService } from './console.service.js';
import { hostCheck, readOnly, securityHeaders } from './http/security.js';
import { answerProblem, RETRY_SOON } from './http/problem.filter.js';

/** Headers, the page, the gate before the API, and the API's description. */
export function configureConsole(app: NestExpressApplication, options: ConsoleOptions): void {
  app.use(hostCheck(options.host, options.allowedHosts ?? []), securityHeaders(), readOnly());
  app.use('/api/v1', gate(app.get(ConsoleService, { strict: false })));
  app.useStaticAssets(webDirectory(), { index: 'index.html', maxAge: 0 });
  const description = new DocumentBuilder()
    .setTitle('Channel Gravity')
    .setDescription(
      'FAST+ figures of a brand, live and as of any instant. Every figure carries a stamp: as of when it is true ' +
        'and how complete it is. Amounts are minor units; instants are ISO 8601; persons are pseudonyms.',
    )
    .setVersion(BUILD)
    .build();
  const document = () => SwaggerModule.createDocument(app, description, { include: [ConsoleModule] });
  SwaggerModule.setup('api/docs', app, document, {
    jsonDocumentUrl: 'api/v1/openapi.json',
    yamlDocumentUrl: 'api/v1/openapi.yaml',
    customSiteTitle: 'Channel Gravity API',
  });
}

/** Answered also while something is away: they say what. */
const ALWAYS = /^\/(status|openapi\.(json|yaml))\/?$/;

/** Until all is there, and while ClickHouse is away, a clear 503 instead of a wait. */
function gate(service: ConsoleService) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (ALWAYS.test(request.path)) return next();
    service.obstacle().then((obstacle) => {
      if (obstacle === null) next();
      else answerProblem(response, obstacle, RETRY_SOON);
    }, next);
  };
}

/** `apps/console/web`, from the built form and from source alike. */
function webDirectory(): string {
  const place = join('apps', 'console', 'web');
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, place, 'index.html'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`${place} is missing from the installation`);
    folder = parent;
  }
  return join(folder, place);
}
