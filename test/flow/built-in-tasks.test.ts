import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '@jetbeat/runtime';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processLives } from '../support/process-lives.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Example {
  readonly task: string;
  readonly input: Record<string, unknown>;
}

const root = resolve(import.meta.dirname, '../..');
const OLD = new Date(Date.now() - 90 * 86_400_000);

let stack: Stack;
let dir: string;
let servers: Server[];
let mails: string[];
let config: string;
let examples: Example[];

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'jetbeat-')));
  const text = await readFile(join(root, 'docs/built-in-tasks.md'), 'utf8');
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, code = '']) => code);
  config = blocks('yaml')[0] ?? '';
  examples = blocks('json').map((code) => JSON.parse(code) as Example);
  servers = [];
  mails = [];
  stack = await startStack();
  await writeFile(join(dir, 'url'), stack.postgres.url);
  await makeTables(stack.postgres.url, 'create table orders (n int); create table parts (n int)');
  await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  for (const server of servers) server.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

async function makeTables(url: string, statement: string): Promise<void> {
  const orm = new MikroORM({ clientUrl: url, entities: [], discovery: { warnWhenNoEntities: false } });
  try {
    await orm.driver.getConnection().execute(statement);
  } finally {
    await orm.close(true);
  }
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** Takes every e-mail, in as few words as SMTP allows. */
function answerSmtp(socket: Socket): void {
  let mail: string | undefined;
  socket.on('error', () => undefined);
  socket.write('220 here\r\n');
  socket.on('data', (chunk) => {
    const text = chunk.toString();
    if (mail !== undefined) {
      mail += text;
      if (!mail.endsWith('\r\n.\r\n')) return;
      mails.push(mail);
      mail = undefined;
    } else if (/^data/i.test(text)) {
      mail = '';
      socket.write('354 go on\r\n');
      return;
    }
    socket.write('250 fine\r\n');
  });
}

/** The documented configuration, with the places of this machine in it. */
async function startWorker(more = '') {
  const port = await listen(createServer(answerSmtp));
  const replace: [string | RegExp, string][] = [
    [/host: smtp.*\n.*\n.*\n/, `host: 127.0.0.1\n    port: ${port}\n`],
    ['/var/spool/reports', dir],
    ['/run/secrets/shop-url', join(dir, 'url')],
    ['/srv/jobs/report.py', join(root, 'libs/tasks/examples/report.py')],
  ];
  const written = replace.reduce((text, [from, to]) => text.replace(from, to), config) + more;
  const path = join(dir, `${port}.yaml`);
  await writeFile(path, written);
  return stack.start('worker', { env: { JETBEAT_CONFIG: path } });
}

async function enqueue(job: object): Promise<string> {
  const { status, body } = await stack.http.call<{ id: string }>('POST', '/jobs', job);
  expect([status, body]).toEqual([202, body]);
  return body.id;
}

test('the documented configuration is accepted as it stands', async () => {
  await writeFile(join(dir, 'jetbeat.yaml'), config);
  const { smtp, files, commands } = loadConfig({ env: {}, app: 'worker', cwd: dir });
  expect([Object.keys(smtp), files.roots, Object.keys(commands)]).toEqual([
    ['default'],
    ['/var/spool/reports'],
    ['report'],
  ]);
});

test('each documented job succeeds on a worker with that configuration', async () => {
  const hits: string[] = [];
  const http = createHttpServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    response.end('fine');
  });
  const address = `http://127.0.0.1:${await listen(http)}`;
  await mkdir(join(dir, 'monthly/old'), { recursive: true });
  for (const name of ['monthly/a.csv', 'monthly/old/b', 'monthly/keep.txt']) {
    await writeFile(join(dir, name), 'x');
    await utimes(join(dir, name), OLD, OLD);
  }
  const worker = await startWorker();
  const results: Record<string, unknown> = {};
  for (const { task, input } of examples) {
    const text = JSON.stringify(input)
      .replace('https://api.example.com', address)
      .replace('/var/spool/reports', dir);
    const id = await enqueue({ task, input: JSON.parse(text) });
    const job = await stack.http.jobIn(id, ['succeeded', 'dead']);
    expect(job, JSON.stringify(job)).toMatchObject({
      state: 'succeeded',
      attempts: [{ outcome: 'succeeded' }],
    });
    results[task] = job.result;
  }
  expect(results).toMatchObject({
    'http.request': { status: 200, body: 'fine' },
    'email.send': { accepted: ['ann@example.com', 'bob@example.org'], rejected: [] },
    'files.cleanup': { deleted: 2, kept: 1 },
    'postgres.maintenance': { tables: [{ name: 'public.orders' }, { name: 'public.parts' }] },
    'command.run': { total: 42 },
  });
  expect(hits).toEqual(['POST /reports']);
  expect(mails).toHaveLength(1);
  expect(existsSync(join(dir, 'monthly/keep.txt'))).toBe(true);
  expect(worker.output()).toContain('the command has ended');
  await worker.stop();
}, 90_000);

test('a worker that is killed takes its commands with it, and the job runs again', async () => {
  const pids = join(dir, 'pids');
  const code = `echo $$ >> ${pids}; if [ "$(wc -l < ${pids})" -eq 1 ]; then sleep 60 & echo $! > ${pids}.child; wait; fi`;
  const more = `  slow:\n    run: [/bin/sh, -c, ${JSON.stringify(code)}]\n`;
  const worker = await startWorker(more);
  const id = await enqueue({ task: 'command.run', input: { command: 'slow' } });
  const child = await waitUntil('the command runs', async () => {
    const text = await readFile(`${pids}.child`, 'utf8').catch(() => '');
    return text.endsWith('\n') ? Number(text) : undefined;
  });
  await stack.http.jobIn(id, ['running']);
  await worker.kill();
  const [first = 0] = (await readFile(pids, 'utf8')).split('\n').map(Number);
  for (const pid of [first, child]) await waitUntil(`${pid} is gone`, async () => !(await processLives(pid)));
  const next = await startWorker(more);
  const job = await stack.http.jobIn(id, ['succeeded', 'dead'], 40_000);
  expect(job).toMatchObject({
    state: 'succeeded',
    attempts: [{ outcome: 'lost' }, { outcome: 'succeeded' }],
  });
  await next.stop();
}, 90_000);
