import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
}, 90_000);
afterAll(() => stack?.stop(), 60_000);

test('an API that starts while NATS is away accepts jobs, and they run when it is back', async () => {
  stack.nats.kill();
  await stack.nats.exited;
  await stack.start('api');
  const body = { task: 'system.echo', input: { hello: 'later' } };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  const refused = await stack.http.call<{ code: string }>('POST', `/jobs/${answer.body.id}/cancel`, {});
  expect(refused).toMatchObject({ status: 503, body: { code: 'messaging_unavailable' } });
  // Who has a key is known to NATS alone.
  const keyed = await stack.http.call('POST', '/jobs', { ...body, uniqueKey: 'report:42' });
  expect(keyed).toMatchObject({ status: 503, body: { code: 'messaging_unavailable' } });

  await stack.killNats();
  await Promise.all([stack.start('recorder'), stack.start('worker')]);
  const job = await stack.http.jobIn(answer.body.id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'succeeded', result: { hello: 'later' } });
  const next = await stack.http.call<{ id: string }>('POST', '/jobs', { ...body, delay: '1h' });
  expect((await stack.http.call('POST', `/jobs/${next.body.id}/cancel`, {})).status).toBe(200);
}, 60_000);

test('while NATS is cut off without a word a batch is taken as it is while NATS is away, with its warning', async () => {
  const { pid } = stack.nats;
  const filter = { task: 'nobody.has.it' };
  const begun = performance.now();
  process.kill(pid, 'SIGSTOP');
  try {
    for (const body of [
      { action: 'cancel', filter, dryRun: true },
      { action: 'cancel', filter },
    ]) {
      const answer = await stack.http.call<{ warnings: { code: string }[] }>('POST', '/batches', body);
      expect([200, 202]).toContain(answer.status);
      expect(answer.body.warnings).toContainEqual(expect.objectContaining({ code: 'history_behind' }));
    }
    // A request has 5 s: it was answered that it took too long, and a second one made a second batch.
    expect(performance.now() - begun).toBeLessThan(9_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}, 60_000);
