import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { type RawJetStream, rawJetStream } from '../support/raw-jetstream.ts';
import { waitUntil } from '../support/wait-until.ts';

const at = useLedgerStack();
let raw: RawJetStream;

beforeAll(async () => {
  raw = await rawJetStream(at.stack.nats.url);
  await at.stack.start('worker');
}, 90_000);
afterAll(() => raw?.close());

async function goodJobRuns(path: string): Promise<void> {
  const id = await at.post('http.request', path);
  expect((await at.stack.http.jobIn(id, ['succeeded', 'dead'])).state).toBe('succeeded');
}

test('random bytes on jobs.> become a dead letter with its cause and no job id; the next good job runs', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(256));
  await raw.publish('jobs.default.normal.system.echo', bytes);
  await goodJobRuns('/after-random-bytes');
  const letter = await waitUntil('there is a dead letter', () => raw.lastOf('DEAD'));
  expect(letter.data).toEqual(bytes);
  expect(letter.header('Jetbeat-Dead-Reason')).toBe('malformed');
  expect(letter.subject).toMatch(/^dead\.default\./);
  expect(await raw.messages('JOBS')).toBe(0);
});

test('random bytes on events.batch are skipped and counted; the next good batch is recorded', async () => {
  await raw.publish('events.batch', crypto.getRandomValues(new Uint8Array(256)));
  await raw.publish('events.batch', new TextEncoder().encode('[{"kind":"nonsense"},7]'));
  await goodJobRuns('/after-random-events');
});

/** Of a message that a worker would take, but for one thing. */
const NEARLY: readonly (readonly [string, object | string, Readonly<Record<string, string>>])[] = [
  ['another version', { v: 2 }, {}],
  ['no version', { v: undefined }, {}],
  ['an id that is none', { id: '../../etc/passwd' }, {}],
  ['a task that is a subject', { task: '$JS.API.>' }, {}],
  ['a queue with a line break', { queue: 'default\r\nNats-Rollup: all' }, {}],
  ['a position that is none', { attempt: -1 }, {}],
  ['nesting without end', `{"v":1,"input":${'['.repeat(2_000)}${']'.repeat(2_000)}}`, {}],
  ['half of its text', '{"v":1,"id":"', {}],
  ['headers of 60 KB', { v: 3 }, { 'X-Large': 'x'.repeat(60_000) }],
  ['headers of the server', { v: 4 }, { 'Jetbeat-Job': 'forged', 'Nats-Msg-Id': 'forged', traceparent: 'x' }],
];

test('messages that are nearly jobs become dead letters, each with its cause; the next good job runs', async () => {
  const before = await raw.messages('DEAD');
  const good = {
    v: 1,
    id: '01900000-0000-7000-8000-000000000000',
    task: 'system.echo',
    queue: 'default',
    input: {},
  };
  for (const [, wrong, header] of NEARLY) {
    const text = typeof wrong === 'string' ? wrong : JSON.stringify({ ...good, ...wrong });
    await raw.publish('jobs.default.normal.system.echo', new TextEncoder().encode(text), header);
  }
  await goodJobRuns('/after-nearly-jobs');
  await waitUntil('each is a dead letter', async () =>
    (await raw.messages('DEAD')) >= before + NEARLY.length ? true : undefined,
  );
  expect((await raw.lastOf('DEAD'))?.header('Jetbeat-Dead-Reason')).toBe('malformed');
  expect(await raw.messages('JOBS')).toBe(0);
});

test('an unknown task: told at once, parked, and run when a worker with it comes', async () => {
  const body = { task: 'test.wait', input: { ms: 1, url: `${at.ledger.url}/late-worker` } };
  const answer = await at.stack.http.call<{ id: string; warnings: { code: string }[] }>(
    'POST',
    '/jobs',
    body,
  );
  expect(answer).toMatchObject({ status: 202, body: { warnings: [{ code: 'no_worker' }] } });
  const parked = await at.stack.http.jobIn(answer.body.id, ['parked']);
  expect(parked.reason).toMatchObject({ code: 'no_worker' });
  expect(parked.attempts).toEqual([]);
  await at.stack.start('worker', { env: { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') } });
  const job = await at.stack.http.jobIn(answer.body.id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'succeeded', attempts: [{ number: 1, outcome: 'succeeded' }] });
  expect(at.ledger.effects.get('/late-worker')?.arrivals).toHaveLength(1);
});
