import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { ConfigError } from './config-error.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'jetbeat-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(cwd, 'jetbeat.yaml'), yaml);
  return loadConfig({ env, app: 'worker', cwd });
}

function problems(yaml: string, env: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('the configuration was accepted');
}

test('without their sections the built-in tasks may do nothing', () => {
  expect(load('')).toMatchObject({
    smtp: {},
    files: { roots: [] },
    postgres: { connections: {} },
    commands: {},
    commandEnvironment: {},
  });
});

test('what is left out is filled in; secrets in files are left where they are', () => {
  const yaml = `
smtp: { default: { host: smtp.example.org, user: me, passwordFile: /run/secrets/smtp, from: a@example.org } }
files: { roots: [/var/spool/reports] }
postgres: { connections: { main: { urlFile: /run/secrets/shop } } }
commands:
  backup: { run: [python3, backup.py] }
  sync: { run: [rsync, --], args: true, cwd: /srv, env: { A: b }, timeout: 10m, grace: 1s, maxOutput: 1MiB }
`;
  const env = { PATH: '/bin', HOME: '/root', SECRET: 'x', JETBEAT_SMTP_PASSWORD: '' };
  expect(load(yaml, env)).toMatchObject({
    smtp: { default: { passwordFile: '/run/secrets/smtp' } },
    files: { roots: ['/var/spool/reports'] },
    postgres: { connections: { main: { urlFile: '/run/secrets/shop' } } },
    commands: {
      backup: { run: ['python3', 'backup.py'], args: false, env: {}, graceMs: 5_000, maxOutput: 16_384 },
      sync: {
        args: true,
        cwd: '/srv',
        env: { A: 'b' },
        timeoutMs: 600_000,
        graceMs: 1_000,
        maxOutput: 1_048_576,
      },
    },
    commandEnvironment: { PATH: '/bin', HOME: '/root' },
  });
  expect(load(yaml, env).commandEnvironment).toEqual({ PATH: '/bin', HOME: '/root' });
});

test('secrets may come from the environment, and from files that it names', () => {
  writeFileSync(join(cwd, 'password'), 'hunter2\n');
  const config = load('smtp: { default: { host: h, user: me, from: a@example.org } }', {
    JETBEAT_SMTP_PASSWORD_FILE: join(cwd, 'password'),
    JETBEAT_POSTGRES_URL: 'postgres://keeper:hunter2@db/shop',
  });
  expect(config.smtp['default']?.password).toBe('hunter2');
  expect(config.postgres.connections).toEqual({ main: { url: 'postgres://keeper:hunter2@db/shop' } });
});

const SMTP = 'host: h, from: a@example.org';
test.each([
  [
    `smtp: { default: { ${SMTP}, hots: h } }`,
    'jetbeat.yaml: unknown key smtp.default.hots: did you mean host?',
  ],
  [
    `smtp: { default: { ${SMTP}, user: me } }`,
    'smtp.default.user needs a password: add smtp.default.passwordFile or smtp.default.password',
  ],
  [
    `smtp: { default: { ${SMTP}, password: p } }`,
    'smtp.default has a password and no user: add smtp.default.user',
  ],
  [
    `smtp: { x: { ${SMTP}, user: me, password: p, passwordFile: f } }`,
    'smtp.x.password and smtp.x.passwordFile are both set: keep one of them',
  ],
  [
    'files: { roots: [spool] }',
    'jetbeat.yaml: files.roots.0 must look like "/var/spool/reports" (pattern ^/), not "spool"',
  ],
  ['postgres: { connections: { main: {} } }', 'postgres.connections.main needs a url or a urlFile'],
  [
    'postgres: { connections: { main: { url: "postgres://h", urlFile: f } } }',
    'postgres.connections.main.url and postgres.connections.main.urlFile are both set: keep one of them',
  ],
  ['commands: { a: { run: [] } }', 'jetbeat.yaml: commands.a.run must not have fewer than 1 items'],
  [
    'commands: { a: { run: [x], timout: 1s } }',
    'jetbeat.yaml: unknown key commands.a.timout: did you mean timeout?',
  ],
  ['commands: { a: { run: [x], timeout: 0s } }', 'commands.a.timeout must be more than nothing'],
  ['commands: { a: { run: [x], grace: 100d } }', 'commands.a: timeout and grace must be at most 24d'],
  ['commands: { a: { run: [x], maxOutput: 5MiB } }', 'commands.a.maxOutput must be at most 4MiB'],
])('%s', (yaml, problem) => {
  expect(problems(yaml)).toContain(problem);
});

test.each([
  'smtp: hunter2',
  `smtp: { default: { ${SMTP}, user: me, password: [hunter2] } }`,
  'postgres: { connections: { main: { url: "mysql://u:hunter2@h" } } }',
  'postgres: { connections: { main: "postgres://u:hunter2@h" } }',
  'commands: { a: { run: [x], env: { KEY: [hunter2] } } }',
])('a wrong secret is not repeated: %s', (yaml) => {
  expect(problems(yaml).join()).not.toContain('hunter2');
});
