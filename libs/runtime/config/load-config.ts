import type { z } from 'zod';
import { redactText } from '../logging/redact.js';
import { closestName } from './closest-name.js';
import { type ConfigSchema, describeConfig, type Setting } from './describe-config.js';
import { SETTING_PREFIX, settingName } from './setting-name.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every problem of a configuration at once; `message` names each variable and what was expected of it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * Reads the settings of a schema from the environment; an empty variable counts as unset.
 *
 * @throws ConfigError with all problems: bad values, missing variables, and any other `GRAVITY_*` variable
 */
export function loadConfig<Config>(schema: ConfigSchema<Config>, env: Environment): Config {
  const settings = describeConfig(schema);
  const values: Record<string, string> = {};
  for (const { key, name } of settings) {
    const value = env[name];
    if (value !== undefined && value !== '') values[key] = value;
  }
  const problems = unknownVariables(settings, env);
  const parsed = schema.safeParse(values);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => problemOf(issue, settings, values)));
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigError(problems);
}

function unknownVariables(settings: readonly Setting[], env: Environment): string[] {
  const names = settings.map((setting) => setting.name);
  return Object.keys(env)
    .filter((name) => name.startsWith(SETTING_PREFIX) && env[name] !== undefined && !names.includes(name))
    .sort()
    .map((name) => {
      const suggestion = closestName(name, names);
      return `${name} is not known${suggestion === null ? '' : `; did you mean ${suggestion}?`}`;
    });
}

function problemOf(
  issue: z.core.$ZodIssue,
  settings: readonly Setting[],
  values: Readonly<Record<string, string>>,
): string {
  const key = String(issue.path[0] ?? '');
  const setting = settings.find((candidate) => candidate.key === key);
  // A rule over several settings has no variable of its own: its message names them.
  if (setting === undefined) return issue.message;
  const value = values[key];
  if (value === undefined && setting.fallback === null) {
    return `${setting.name} is required${setting.meaning === '' ? '' : ` (${setting.meaning})`}`;
  }
  const given = value === undefined ? 'its default' : JSON.stringify(redactText(value));
  return `${settingName(key)}: ${issue.message}, got ${setting.isSecret ? 'a secret value' : given}`;
}
