import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import { type Gates, startGates } from '../support/gates.ts';
import { natsUrl } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';

let dir: string;
let group: AppGroup;
let client: Client;
let gates: Gates;
beforeAll(async () => {
  gates = await startGates();
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-drain-'));
  group = await startAppGroup({ JETBEAT_TASKS: join(import.meta.dirname, '../flow/job-tasks.ts') });
  await group.start('recorder');
  client = await connect({ servers: natsUrl(), namespace: group.namespace });
}, 60_000);
afterAll(async () => {
  await client?.close();
  await group?.stop();
  await gates?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const TIMEOUT = { timeout: '30s' };
const enqueue = (name: string, input: object) =>
  client.enqueue('jobs.inline', { file: join(dir, 'notes'), name, ...input });

/** How often the run of this name has said this. */
async function times(name: string, what: string): Promise<number> {
  const text = await readFile(join(dir, 'notes'), 'utf8').catch(() => '');
  return text.split(`"name":"${name}","what":"${what}"`).length - 1;
}
/** When the run of this name was told to stop, Unix milliseconds. */
async function toldAt(name: string): Promise<number> {
  const lines = (await readFile(join(dir, 'notes'), 'utf8')).split('\n').filter(Boolean);
  const notes = lines.map((line) => JSON.parse(line) as { name: string; what: string; at: number });
  return notes.find((note) => note.name === name && note.what === 'told')?.at ?? Number.POSITIVE_INFINITY;
}
const begun = (name: string) => waitUntil(`${name} has begun`, async () => (await times(name, 'begun')) > 0);

test('a stopping worker lets its job end in the time it has, and what has not begun runs elsewhere at once', async () => {
  const worker = await group.start('worker', { JETBEAT_DRAIN: '20s', JETBEAT_CONCURRENCY: '1' });
  const running = await enqueue('running', { gate: `${gates.url}/running` });
  await begun('running');
  const waiting = await enqueue('waiting', { ms: 10 });
  const results = [running, waiting].map((job) => job.result(TIMEOUT));
  const stopped = worker.stop();
  await waitUntil('it waits for its job', () => worker.output().includes('waiting for the jobs that run'));
  const second = await group.start('worker');
  expect(await results[1]).toBe('waited');
  // Only now: what has not begun runs elsewhere before what runs has ended.
  gates.open('/running');
  expect(await results[0]).toBe('waited');
  expect(await stopped).toBe(0);
  expect([await times('running', 'begun'), await times('running', 'told')]).toEqual([1, 0]);
  await second.stop();
}, 60_000);

test('after its time a job is told to stop, given back, and runs elsewhere', async () => {
  const worker = await group.start('worker', { JETBEAT_DRAIN: '100ms' });
  const job = await enqueue('short', { ms: 4_000 });
  await begun('short');
  const asked = Date.now();
  expect(await worker.stop()).toBe(0);
  expect(await times('short', 'told')).toBe(1);
  // By default it has three seconds.
  expect((await toldAt('short')) - asked).toBeLessThan(3_000);
  const second = await group.start('worker');
  expect(await job.result(TIMEOUT)).toBe('waited');
  expect(await times('short', 'begun')).toBe(2);
  await second.stop();
}, 60_000);

test('a command has its grace when the worker stops; its job runs elsewhere only after that', async () => {
  const file = join(dir, 'jetbeat.yaml');
  const notes = join(dir, 'command');
  const text = () => readFile(notes, 'utf8').catch(() => '');
  // What it does at SIGTERM takes longer than a handler has to let go.
  const program = `
    const note = (what) => require('node:fs').appendFileSync(${JSON.stringify(notes)}, what);
    note('begun ');
    process.on('SIGTERM', () => setTimeout(() => { note('cleaned '); process.exit(1); }, 1_200));
    setInterval(() => {}, 1_000);`;
  const run = JSON.stringify([process.execPath, '-e', program]);
  await writeFile(file, `commands: { dump: { run: ${run}, grace: 5s } }\n`);
  const env = { JETBEAT_CONFIG: file, JETBEAT_DRAIN: '100ms' };
  const worker = await group.start('worker', env);
  await client.enqueue('command.run', { command: 'dump' });
  await waitUntil('it has begun', async () => (await text()) === 'begun ');
  const second = await group.start('worker', env);
  expect(await worker.stop()).toBe(0);
  await waitUntil('it runs elsewhere', async () => (await text()).split('begun').length === 3);
  expect(await text()).toBe('begun cleaned begun ');
  await second.kill();
}, 60_000);

test('told twice, a worker ends at once', async () => {
  const worker = await group.start('worker', { JETBEAT_DRAIN: '1h' });
  await enqueue('stubborn', { ms: 60_000, end: 'ignore' });
  await begun('stubborn');
  const asked = performance.now();
  const telling = setInterval(() => process.kill(worker.pid, 'SIGTERM'), 100);
  expect(await worker.exited.finally(() => clearInterval(telling))).toBe(1);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect(worker.output()).toContain('told to stop once more: ending at once');
}, 30_000);
