import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import type { ConfigError } from './config-error.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'jetbeat-config-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

async function load(yaml: string) {
  await writeFile(join(cwd, 'jetbeat.yaml'), yaml);
  return loadConfig({ env: {}, app: 'worker', cwd });
}

test('callbacks of tasks and queues are settings; limits of queues are not', async () => {
  const { settings, queueLimits } = await load(`
queues: { mail: { maxDepth: 5, onFailure: { task: a } }, other: {} }
tasks: { "a.*": { onSuccess: [{ webhook: { url: "https://example.org", secret: it } }] } }
`);
  expect(settings).toEqual({
    queues: { mail: { onFailure: { task: 'a' } } },
    tasks: { 'a.*': { onSuccess: [{ webhook: { url: 'https://example.org', secret: 'it' } }] } },
  });
  expect(queueLimits.get('mail')).toEqual({ maxDepth: 5 });
});

test('notices and secrets, with what holds where nothing is said', async () => {
  const { notifications, webhooks } = await load(`
webhooks: { secrets: { it: { secretFile: /run/secrets/it } } }
notifications:
  - { on: dead, task: "a.*", queue: "m*", email: { to: a@example.org } }
  - { on: [dead, expired], webhook: { url: "https://example.org" }, rate: { limit: 3, period: 5m } }
`);
  expect(webhooks).toEqual({ secrets: { it: { secretFile: '/run/secrets/it' } } });
  expect(notifications).toEqual([
    {
      on: ['dead'],
      task: 'a.*',
      queue: 'm*',
      email: { to: ['a@example.org'] },
      rate: { limit: 10, periodMs: 3_600_000 },
    },
    {
      on: ['dead', 'expired'],
      webhook: { url: 'https://example.org' },
      rate: { limit: 3, periodMs: 300_000 },
    },
  ]);
  expect(await load('')).toMatchObject({ notifications: [], webhooks: { secrets: {} } });
});

test.each([
  [
    'queues: { mail: { onFailure: { tusk: a } } }',
    ['jetbeat.yaml: unknown key queues.mail.onFailure.tusk: did you mean task?'],
  ],
  [
    'tasks: { a: { onFailure: [{ task: a }, { webhook: { url: ftp } }] } }',
    [
      'jetbeat.yaml: tasks.a.onFailure.1.webhook.url must look like "https://example.org/hook" (pattern ^https?://), not "ftp"',
    ],
  ],
  [
    'defaults: { onFailure: 5 }',
    [
      'jetbeat.yaml: defaults.onFailure must be object, not 5',
      'jetbeat.yaml: defaults.onFailure must be array, not 5',
    ],
  ],
  ['notifications: [{ on: dead }]', ['notifications.0 has either email or webhook: write one of them']],
  [
    'notifications: [{ on: died, email: { to: a@b } }]',
    ['jetbeat.yaml: notifications.0.on must be one of dead, expired, not "died"'],
  ],
  [
    'notifications: [{ on: dead, email: { to: a@b }, rate: { limit: 1, period: 1ms } }]',
    ['notifications.0.rate.period must be from 1s to 30d, not "1ms"'],
  ],
  [
    'webhooks: { secrets: { a: {} } }',
    ['webhooks.secrets.a has either secret or secretFile: write one of them'],
  ],
  [
    'webhooks: { secrets: { a: { secret: short } } }',
    ['jetbeat.yaml: webhooks.secrets.a.secret must not have fewer than 16 characters'],
  ],
])('%s', async (yaml, problems) => {
  const error = await load(yaml).catch((thrown: ConfigError) => thrown);
  expect((error as ConfigError).message.split('\n')).toEqual(problems);
});
