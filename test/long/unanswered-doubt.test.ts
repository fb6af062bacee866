import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startGates } from '../support/gates.ts';
import { scrape } from '../support/metrics.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

test('the worker of a job is killed while no recorder is there: its attempt is lost, and none is left open', async () => {
  const gates = await startGates();
  onTestFinished(() => gates.stop());
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-unanswered-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const stack = await startStack({ ackWait: '2s' });
  onTestFinished(() => stack.stop(), 60_000);
  const env = { JETBEAT_TASKS: join(import.meta.dirname, '../flow/job-tasks.ts') };
  const [recorder, worker] = await Promise.all([
    stack.start('recorder'),
    stack.start('worker', { env }),
    stack.start('api'),
  ]);
  const file = join(dir, 'notes');
  const input = { file, name: 'unanswered', gate: `${gates.url}/unanswered` };
  const id = await stack.http.post({ task: 'jobs.inline', input });
  await gates.until('/unanswered', 1);
  await stack.http.jobIn(id, ['running']);
  await Promise.all([recorder.kill(), worker.kill()]);
  const next = await stack.start('worker', { env });
  const parked = async () => {
    const { samples } = await scrape(next.healthUrl);
    return samples.some(({ name, value }) => name === 'jetbeat_worker_jobs_parked_total' && value > 0);
  };
  await waitUntil('nobody has answered, and it is parked', parked, { timeoutMs: 30_000 });
  gates.open('/unanswered');
  await stack.start('recorder');
  const { state, attempts } = await stack.http.ended(id, 30_000);
  expect([state, ...attempts.map(({ outcome }) => outcome)]).toEqual(['succeeded', 'lost', 'succeeded']);
  expect((await readFile(file, 'utf8')).match(/"begun"/g)).toHaveLength(2);
}, 120_000);
