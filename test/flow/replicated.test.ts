import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, EnqueueError, EnqueueManyError } from '@jetbeat/client';
import {
  type Bus,
  connectBus,
  ensureTopology,
  findMessage,
  jobsStreamState,
  publishJobs,
  storedBefore,
  timerSubject,
} from '@jetbeat/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Node, startCluster } from '../bench/nats-cluster.ts';
import { testTopology } from '../support/nats.ts';
import { newJob } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

let dir: string;
let nodes: Node[];
let servers: string;
let bus: Bus;

beforeAll(async () => {
  const bin = process.env.JETBEAT_TEST_NATS_BIN;
  if (!bin) throw new Error('JETBEAT_TEST_NATS_BIN is not set: run the tests with vitest from the root');
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-cluster-'));
  nodes = await startCluster({ bin, dir });
  servers = nodes.map(({ url }) => url).join(',');
  bus = await connectBus({ servers, name: 'replicated test' });
  await ensureTopology(bus, { ...testTopology, queues: ['default'], replicas: 3 });
});
afterAll(async () => {
  await bus?.close();
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await rm(dir, { recursive: true, force: true });
});

/** The node that leads JOBS. */
async function leader(): Promise<Node> {
  return waitUntil('JOBS has a leader', async () => {
    const nc = await connectNats({ servers: servers.split(','), name: 'leader?' });
    try {
      const answer = await nc
        .request('$JS.API.STREAM.INFO.JOBS', '', { timeout: 1_000 })
        .catch(() => undefined);
      const name = answer?.json<{ cluster?: { leader?: string } }>().cluster?.leader;
      return nodes[['n1', 'n2', 'n3'].indexOf(name ?? '')];
    } finally {
      await nc.close();
    }
  });
}

test('on three nodes many jobs are stored in batches, timers among them, each once', async () => {
  const client = await connect({ servers });
  const items = Array.from({ length: 2_500 }, (_, index) =>
    index % 5 === 0 ? { input: index, options: { delay: '1h' } } : index,
  );
  const [jobs, more] = await Promise.all([
    client.enqueueMany('a.b', items),
    Promise.all(Array.from({ length: 300 }, (_, index) => client.enqueue('a.b', index))),
  ]);
  expect(new Set([...jobs, ...more].map(({ id }) => id)).size).toBe(2_800);
  expect((await jobsStreamState(bus)).messages).toBe(2_800);
  const timer = await findMessage(bus, { subject: timerSubject(bus, jobs[0]?.id ?? '') });
  expect([timer?.envelope?.input, timer?.headers.has('Nats-Batch-Id')]).toEqual([0, true]);
  await client.close();
});

test('the leader is killed in the midst of batches: every job is stored, and once', async () => {
  const before = (await jobsStreamState(bus)).messages;
  const client = await connect({ servers });
  const { pid } = await leader();
  const items = Array.from({ length: 8_000 }, (_, index) => index);
  const enqueueing = client.enqueueMany('a.b', items);
  await expect
    .poll(async () => (await jobsStreamState(bus)).messages, { interval: 2, timeout: 15_000 })
    .toBeGreaterThan(before + 900);
  process.kill(pid, 'SIGKILL');
  await enqueueing.catch(async (error: unknown) => {
    // The election may last longer than a job is tried: what was not confirmed is enqueued again with its id, then the rest.
    if (!(error instanceof EnqueueManyError)) throw error;
    for (const { index, error: failure } of error.failures) {
      if (!(failure instanceof EnqueueError)) throw failure;
      await client.enqueue('a.b', index, { id: failure.id });
    }
    await client.enqueueMany('a.b', items.slice(error.jobs.length));
  });
  await waitUntil(
    'the others agree',
    async () => (await jobsStreamState(bus)).messages === before + 8_000 || undefined,
  );
  await client.close();
  // What the dead leader had stored is told from what comes later, on whichever node one asks.
  const { upTo } = await storedBefore(bus);
  expect(upTo).toBeGreaterThan(before);
  const other = await connectBus({ servers, name: 'another' });
  await publishJobs(other, [{ envelope: newJob(), traceparent: undefined }]);
  expect(await storedBefore(other)).toMatchObject({ upTo });
  await other.close();
});
