import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { ConfigError } from './config-error.ts';

/** A configuration file that was read: what it says, and its name for messages. */
export interface ReadFile {
  readonly name: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/**
 * Reads the file that `JETBEAT_CONFIG` names, else `jetbeat.yaml` in `cwd` where there is one.
 * @throws ConfigError when the named file cannot be read, or is no YAML mapping
 */
export function readConfigFile(cwd: string, named: string | undefined): ReadFile {
  const path = resolve(cwd, named || 'jetbeat.yaml');
  if (!named && !existsSync(path)) return { name: 'jetbeat.yaml', content: {} };
  const name = named || 'jetbeat.yaml';
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8')) ?? {};
  } catch (cause) {
    // What follows the first line repeats a piece of the file, and there are secrets in it.
    const [why = ''] = (cause as Error).message.split('\n');
    throw new ConfigError([`cannot read ${name}: ${why.replace(/:$/, '')}`]);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError([`${name} is no YAML mapping: write one "key: value" per line`]);
  }
  return { name, content: content as Record<string, unknown> };
}
