import type { TestApi } from '../api.ts';
import type { Known } from './request.ts';

const JOBS = 6;

/** Puts in some things that random requests can be about. */
export async function seedApi({ enqueue, http, workerIsAlive }: TestApi): Promise<Known> {
  await workerIsAlive('fuzzed');
  const jobs: string[] = [];
  for (let at = 0; at < JOBS; at++) {
    const delay = at % 2 === 0 ? { delay: '1h' } : {};
    jobs.push((await enqueue({ task: 'system.echo', input: { at }, queue: 'fuzz', ...delay })).id);
  }
  await http.call('POST', `/jobs/${jobs[0]}/cancel`, {});
  const names = ['fuzz.a', 'fuzz.b', 'fuzz/c'];
  for (const name of names) {
    const when = { cron: '0 3 * * *' };
    const made = await http.call('POST', '/schedules', {
      name,
      when,
      job: { task: 'system.echo', input: {} },
    });
    if (made.status !== 201) throw new Error(`no schedule: ${JSON.stringify(made.body)}`);
  }
  const key = await http.call<{ id?: string }>('POST', '/api-keys', { name: 'fuzzed', role: 'viewer' });
  const batch = await http.call<{ id?: string }>('POST', '/batches', {
    action: 'cancel',
    filter: { queue: 'fuzz' },
    dryRun: true,
  });
  const more = [key.body.id, batch.body.id].filter((id) => typeof id === 'string');
  const queue = ['fuzz', 'default', 'reports'];
  return {
    id: [...jobs, ...more, 'fuzzed'],
    jobId: jobs,
    name: names,
    queue,
    task: ['system.echo', 'report.send'],
  };
}
