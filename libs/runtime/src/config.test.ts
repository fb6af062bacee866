import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { FileSchema } from './config-schema.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'jetbeat-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const KEY = `jb_first_${'s'.repeat(43)}`;

function load(env: Record<string, string> = {}, yaml?: string) {
  if (yaml !== undefined) writeFileSync(join(cwd, 'jetbeat.yaml'), yaml);
  return loadConfig({ env, app: 'worker', cwd });
}

function problems(env: Record<string, string>, yaml?: string): readonly string[] {
  try {
    load(env, yaml);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('the configuration was accepted');
}

test('the published JSON Schema is the one that is checked', async () => {
  const published = `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...FileSchema }, null, 2)}\n`;
  await expect(published).toMatchFileSnapshot(
    resolve(import.meta.dirname, '../../../docs/jetbeat.schema.json'),
  );
});

describe('what is accepted', () => {
  test('nothing at all: the embedded defaults', () => {
    expect(load()).toMatchObject({
      nats: { url: 'nats://127.0.0.1:7432' },
      port: 7420,
      healthPort: 7423,
      ackWaitMs: 30_000,
      worker: { queues: ['default'], concurrency: 10, tasks: [] },
      queues: ['default'],
      http: { allowHosts: [], allowLoopback: false },
    });
  });

  test('the file, and the environment over it', () => {
    const yaml =
      'ackWait: 2s\nqueues: { mail: {} }\nworker: { queues: [reports], concurrency: 3 }\nlog: { level: debug }\n';
    const config = load(
      {
        JETBEAT_CONCURRENCY: '7',
        JETBEAT_TASKS: './a, ./b',
        JETBEAT_HTTP_ALLOW_LOOPBACK: 'true',
        PATH: '/bin',
      },
      yaml,
    );
    expect(config.worker).toEqual({ queues: ['reports'], concurrency: 7, tasks: ['./a', './b'] });
    expect(config.ackWaitMs).toBe(2_000);
    expect(config.queues).toEqual(['default', 'mail', 'reports']);
    expect(config.http.allowLoopback).toBe(true);
    expect(config.log.level).toBe('debug');
  });

  test('sizes, in bytes', () => {
    expect(load().storage).toEqual({ events: 1024 ** 3 });
    const env = { JETBEAT_STORAGE_LIMIT: '48MiB', JETBEAT_STORAGE_EVENTS: '1.5MiB' };
    expect(load(env).storage).toEqual({ limit: 48 * 1024 ** 2, events: 1.5 * 1024 ** 2 });
  });

  test('the file that JETBEAT_CONFIG names', () => {
    writeFileSync(join(cwd, 'other.yaml'), 'port: 9000\n');
    expect(load({ JETBEAT_CONFIG: 'other.yaml' }, 'port: 1\n').port).toBe(9000);
  });

  test('a secret from the file that NAME_FILE names, without its line end', () => {
    writeFileSync(join(cwd, 'admin.key'), `${KEY}\n`);
    expect(load({ JETBEAT_API_KEY_FILE: join(cwd, 'admin.key') }).apiKey).toBe(KEY);
  });

  test('an empty variable is as good as none', () => {
    expect(load({ JETBEAT_PORT: '' }).port).toBe(7420);
  });
});

describe('what stops the start', () => {
  test.each([
    [
      { JETBEAT_NATS_ULR: 'x' },
      'unknown environment variable JETBEAT_NATS_ULR: did you mean JETBEAT_NATS_URL?',
    ],
    [
      { JETBEAT_API_KEY_FLIE: 'x' },
      'unknown environment variable JETBEAT_API_KEY_FLIE: did you mean JETBEAT_API_KEY_FILE?',
    ],
    [
      { JETBEAT_PORT_FILE: 'x' },
      'JETBEAT_PORT_FILE: only secrets can come from a file: set JETBEAT_PORT instead',
    ],
    [{ JETBEAT_FOO: 'x' }, 'unknown environment variable JETBEAT_FOO: remove it'],
    [{ JETBEAT_ACK_WAIT: '1d' }, 'ackWait (JETBEAT_ACK_WAIT) must be from 500ms to 1h, not "1d"'],
    [
      { JETBEAT_ACK_WAIT: '30' },
      'JETBEAT_ACK_WAIT must look like "30s" (pattern ^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$), not "30"',
    ],
    [
      { JETBEAT_LOG_LEVEL: 'verbose' },
      'JETBEAT_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, not "verbose"',
    ],
    [{ JETBEAT_PORT: 'seven' }, 'JETBEAT_PORT must be integer, not "seven"'],
    [{ JETBEAT_PORT: '70000' }, 'JETBEAT_PORT must be <= 65535, not 70000'],
    [
      { JETBEAT_STORAGE_LIMIT: '512MiB' },
      'storage.events (JETBEAT_STORAGE_EVENTS) must be at least 1MiB and less than storage.limit, not "1GiB"',
    ],
    [
      { JETBEAT_STORAGE_LIMIT: '8G' },
      'JETBEAT_STORAGE_LIMIT must look like "8GiB" (pattern ^\\d{1,9}(\\.\\d{1,3})?(MiB|GiB|TiB)$), not "8G"',
    ],
    [{ JETBEAT_ACK_WAIT: '1ms' }, 'ackWait (JETBEAT_ACK_WAIT) must be from 500ms to 1h, not "1ms"'],
    [
      { JETBEAT_API_KEY: KEY, JETBEAT_API_KEY_FILE: 'x' },
      'JETBEAT_API_KEY and JETBEAT_API_KEY_FILE are both set: keep one of them',
    ],
  ])('%o', (env, problem) => {
    expect(problems(env as unknown as Record<string, string>)).toContain(problem);
  });

  test.each([
    ['nats: { ulr: nats://h }', 'jetbeat.yaml: unknown key nats.ulr: did you mean url?'],
    ['workers: {}', 'jetbeat.yaml: unknown key workers: did you mean worker?'],
    ['queues: { mail: { limit: 3 } }', 'jetbeat.yaml: queues.mail.limit is not allowed here'],
    ['worker: 3', 'jetbeat.yaml: worker must be object, not 3'],
    ['- a', 'jetbeat.yaml is no YAML mapping: write one "key: value" per line'],
  ])('%s', (yaml, problem) => {
    expect(problems({}, yaml)).toContain(problem);
  });

  test('a key given twice, and a file that is not there', () => {
    expect(problems({ JETBEAT_CONFIG: 'nowhere.yaml' })[0]).toMatch(/^cannot read nowhere.yaml: ENOENT/);
    expect(problems({ JETBEAT_API_KEY_FILE: '/nowhere' })[0]).toMatch(
      /^JETBEAT_API_KEY_FILE: cannot read the file/,
    );
    expect(problems({}, 'port: 1\nport: 2\n')[0]).toMatch(
      /^cannot read jetbeat.yaml: Map keys must be unique/,
    );
  });

  test('a wrong secret is not repeated', () => {
    const [problem] = problems({ JETBEAT_DATABASE_URL: 'mysql://u:hunter2@h/d' });
    expect(problem).toMatch(/^JETBEAT_DATABASE_URL must look like "postgres:/);
    expect(problem).not.toContain('hunter2');
  });

  test.each([
    ['an address in the place of its section', 'nats: nats://u:hunter2@h'],
    ['a line that is no YAML', 'database:\n\turl: postgres://u:hunter2@h/d'],
    ['a key given twice', 'apiKey: hunter2\napiKey: hunter2'],
  ])('nor is the line of the file that it stands in: %s', (_name, yaml) => {
    expect(problems({}, yaml).join()).not.toContain('hunter2');
  });
});
