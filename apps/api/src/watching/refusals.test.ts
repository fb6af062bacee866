import type { Readings } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import { ApiError } from '../problems/problem.ts';
import { createTestServer, SECRET } from '../test-server.ts';
import { createRefusals } from './refusals.ts';

test('what says something about callers or this process is counted by its reason, what is of one request is not', () => {
  const { count, dropped, readings } = createRefusals();
  for (const code of [
    'rate_limited',
    'forbidden',
    'forbidden',
    'queue_full',
    'job_not_found',
    'invalid_request',
  ] as const)
    count(new ApiError(code, 'no'));
  count(new ApiError('overloaded', 'no', { counted: 'event_loop' }));
  // It is answered as if there were none.
  count(new ApiError('job_not_found', 'no', { counted: 'other_queue' }));
  dropped('connections_dropped');
  dropped('pipelined');
  expect(countsOf(readings())).toEqual({
    rate_limited: 1,
    forbidden: 2,
    queue_full: 1,
    event_loop: 1,
    other_queue: 1,
    connections_dropped: 1,
    pipelined: 1,
  });
});

test('a server counts what it refuses', async () => {
  const observed: (() => Readings | Promise<Readings>)[] = [];
  const metrics = {
    observe: (read: () => Readings | Promise<Readings>) => void observed.push(read),
    page: async () => '',
  };
  const { app, call } = await createTestServer({ metrics });
  const as = (id: string) => ({ authorization: `Bearer jb_${id}_${SECRET}` });
  const asked = [
    await call('GET /jobs', undefined, { authorization: '' }),
    await call('POST /queues/mail/pause', {}, as('viewer')),
    await call('GET /queues/other', undefined, as('viewerMail')),
    await call('GET /jobs?limit=x'),
  ];
  expect(asked.map(({ status }) => status)).toEqual([401, 403, 404, 400]);
  const all = await Promise.all(observed.map((read) => read()));
  const readings = all.find((one) => 'jetbeat_api_refusals_total' in one) ?? {};
  expect(countsOf(readings)).toEqual({ unauthorized: 1, forbidden: 1, other_queue: 1 });
  expect(readings).toMatchObject({ jetbeat_api_connections: 0 });
  await app.close();
});

function countsOf(readings: Readings): Record<string, number> {
  const counts = readings['jetbeat_api_refusals_total'] as readonly {
    labels: { reason: string };
    value: number;
  }[];
  return Object.fromEntries(counts.map(({ labels, value }) => [labels.reason, value]));
}
