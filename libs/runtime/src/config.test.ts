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
      'ackWait: 2s\nqueues: { mail: {} }\nworker: { queues: [reports], concurrency: 3, drain: 45s }\nlog: { level: debug }\n';
    const config = load(
      {
        JETBEAT_CONCURRENCY: '7',
        JETBEAT_TASKS: './a, ./b',
        JETBEAT_HTTP_ALLOW_LOOPBACK: 'true',
        PATH: '/bin',
      },
      yaml,
    );
    expect(config.worker).toEqual({
      queues: ['reports'],
      concurrency: 7,
      tasks: ['./a', './b'],
      drainMs: 45_000,
    });
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

  test('a list with blanks instead of commas: how it is written', () => {
    expect(() => load({ JETBEAT_QUEUES: 'mail reports' })).toThrow(
      /^JETBEAT_QUEUES .*"mail reports"; a list is separated by commas$/,
    );
  });

  test('a secret from the file that NAME_FILE names, without its line end', () => {
    writeFileSync(join(cwd, 'admin.key'), `${KEY}\n`);
    expect(load({ JETBEAT_API_KEY_FILE: join(cwd, 'admin.key') }).apiKey).toBe(KEY);
  });

  test('the limits of queues, in milliseconds', () => {
    const yaml =
      'queues: { mail: { concurrency: 5, rateLimit: { limit: 9, period: 1.5m, per: queue } }, media: { maxDepth: 7 } }';
    expect([...load({}, yaml).queueLimits]).toEqual([
      ['mail', { concurrency: 5, rateLimit: { limit: 9, periodMs: 90_000, per: 'queue' } }],
      ['media', { maxDepth: 7 }],
    ]);
    const short = 'queues: { mail: { rateLimit: { limit: 9, period: 100ms } } }';
    expect(() => load({}, short)).toThrow('queues.mail.rateLimit.period must be from 1s to 1d, not "100ms"');
  });

  test('where jobs go and what holds for them, as it is written; their queues are known', () => {
    const yaml = `
routing: { "media.*": media, report.send: mail }
tasks:
  "media.*": { priority: low, timeout: { hard: 2h }, retry: { delay: [1s, 5m], noRetryOn: [ENOENT] } }
  "*": { queue: rest, expires: 3h }
defaults: { queue: slow, retry: { attempts: 2, backoff: fixed, delay: 60s } }
`;
    const { settings, queues, file } = load({}, yaml);
    expect(Object.keys(settings.tasks ?? {})).toEqual(['media.*', '*']);
    expect(settings).toMatchObject({
      routing: { 'media.*': 'media' },
      tasks: { 'media.*': { retry: { delay: ['1s', '5m'] } } },
      defaults: { retry: { backoff: 'fixed' } },
    });
    expect(queues).toEqual(['default', 'media', 'mail', 'slow', 'rest']);
    expect(file).toBe('jetbeat.yaml');
    expect(load({}, '').settings).toEqual({});
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
    [{ JETBEAT_DRAIN: '2d' }, 'worker.drain (JETBEAT_DRAIN) must be at most 1d, not "2d"'],
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
    [
      'queues: { mail: { limit: 3 } }',
      'jetbeat.yaml: unknown key queues.mail.limit: known here are concurrency, rateLimit, maxDepth, onSuccess, onFailure',
    ],
    ['rooting: {}', 'jetbeat.yaml: unknown key rooting: did you mean routing?'],
    [
      'tasks: { "media.*": { retry: { atempts: 2 } } }',
      'jetbeat.yaml: unknown key tasks.media.*.retry.atempts: did you mean attempts?',
    ],
    ['defaults: { prioriy: low }', 'jetbeat.yaml: unknown key defaults.prioriy: did you mean priority?'],
    [
      'routing: { "media.?": media }',
      'jetbeat.yaml: routing.media.? is not allowed here: write a key such as "media.*"',
    ],
    [
      'routing: { a: b.c }',
      'jetbeat.yaml: routing.a must look like "media" (pattern ^[A-Za-z0-9_-]{1,64}$), not "b.c"',
    ],
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
