import { z } from 'zod';
import { settingName } from './setting-name.js';

/** A flat zod object whose keys are settings; `Config` is what it reads. */
export type ConfigSchema<Config> = z.ZodType<Config> & {
  readonly shape: Readonly<Record<string, z.core.$ZodType>>;
};

export interface Setting {
  readonly key: string;
  /** The environment variable. */
  readonly name: string;
  /** As one would type it; null when the setting must be given, '' when it may stay unset. */
  readonly fallback: string | null;
  readonly meaning: string;
  readonly isSecret: boolean;
}

/** The settings of a schema in its order, for `--help`, documents and checks of deployment files. */
export function describeConfig<Config>(schema: ConfigSchema<Config>): readonly Setting[] {
  return Object.entries(schema.shape).map(([key, type]) => {
    const meta = metaOf(type);
    return {
      key,
      name: settingName(key),
      fallback: fallbackOf(type),
      meaning: typeof meta.description === 'string' ? meta.description : '',
      isSecret: meta.secret === true,
    };
  });
}

/** A plain-text table for `--help`. */
export function renderConfig(settings: readonly Setting[]): string {
  const nameWidth = Math.max(...settings.map((setting) => setting.name.length));
  const fallbackWidth = Math.max(...settings.map((setting) => fallbackText(setting).length));
  return settings
    .map(
      (setting) =>
        `  ${setting.name.padEnd(nameWidth)}  ${fallbackText(setting).padEnd(fallbackWidth)}  ${setting.meaning}`,
    )
    .join('\n');
}

/** A Markdown table for documents. */
export function renderConfigMarkdown(settings: readonly Setting[]): string {
  const rows = settings.map((setting) => {
    const fallback = fallbackText(setting);
    return `| \`${setting.name}\` | ${fallback.startsWith('(') ? fallback : `\`${fallback}\``} | ${setting.meaning} |`;
  });
  return ['| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function fallbackText(setting: Setting): string {
  if (setting.fallback === null) return '(required)';
  if (setting.fallback === '') return '(unset)';
  return setting.isSecret ? '(secret)' : setting.fallback;
}

function fallbackOf(type: z.core.$ZodType): string | null {
  for (let inner: z.core.$ZodType | null = type; inner !== null; inner = innerOf(inner)) {
    if (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault)
      return printed(inner.def.defaultValue);
    if (inner instanceof z.ZodOptional) return '';
  }
  return null;
}

function printed(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Description and secrecy may be said at any layer of `.prefault()`, `.optional()` and the like; the outermost wins. */
function metaOf(type: z.core.$ZodType): Record<string, unknown> {
  const inner = innerOf(type);
  return { ...(inner === null ? {} : metaOf(inner)), ...z.globalRegistry.get(type) };
}

function innerOf(type: z.core.$ZodType): z.core.$ZodType | null {
  if (type instanceof z.ZodPrefault || type instanceof z.ZodDefault) return type.def.innerType;
  if (type instanceof z.ZodOptional || type instanceof z.ZodNullable) return type.def.innerType;
  if (type instanceof z.ZodPipe) return type.def.in;
  return null;
}
