import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.string()).default([]),
  environment: z.record(z.string(), text).default({}),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.unknown().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  stop_grace_period: z.string().optional(),
});
export type ComposeService = z.infer<typeof Service>;

const ComposeFile = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
});

/** `docker-compose.yml` as YAML alone sees it. */
export function rawCompose(): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(parse(composeText(), { merge: true }));
}

/** `docker-compose.yml` as an engine sees it where no variable is set: `${NAME:-default}` is its default. */
export function composeFile(): z.infer<typeof ComposeFile> {
  const interpolated = composeText().replaceAll(
    /\$\{\w+(?::-([^}]*))?\}/g,
    (_, fallback?: string) => fallback ?? '',
  );
  return ComposeFile.parse(parse(interpolated, { merge: true }));
}

function composeText(): string {
  return readFileSync(`${ROOT}docker-compose.yml`, 'utf8');
}
