import { defineTask } from '@jetbeat/task';
import type { TestApi } from '../api.ts';
import type { Known } from './request.ts';

const JOBS = 6;
/** A letter that was replayed or discarded is not so a second time. */
const LETTERS = 60;
const WAITING = 60;

/** Dies at once. */
const letter = defineTask({
  name: 'fuzz.letter',
  retry: { attempts: 1 },
  run() {
    throw new Error('there is no such address');
  },
});

/** Puts in some things that random requests can be about, and two workers: one that may be told to stop. */
export async function seedApi(api: TestApi): Promise<Known> {
  const { enqueue, http, workerIsAlive } = api;
  const made = async (method: string, path: string, body: object) => {
    const { status, body: answer } = await http.call<{ id: string }>(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer.id;
  };
  await workerIsAlive('fuzzed');
  const tasks = [letter];
  const [worker, stopped] = await Promise.all([
    api.work({ queues: ['letters'], tasks }),
    api.work({ queues: ['others'], tasks }),
  ]);
  const many = async (count: number, job: object): Promise<string[]> => {
    const jobs = Array.from({ length: count }, (_, at) => ({ input: { at }, ...job }));
    const { body } = await http.call<{ items: { id: string }[] }>('POST', '/jobs/batch', { jobs });
    return body.items.map(({ id }) => id);
  };
  const letters = await many(LETTERS, { task: letter.name, queue: 'letters' });
  const jobs: string[] = [];
  for (let at = 0; at < JOBS; at++) {
    const delay = at % 2 === 0 ? { delay: '1h' } : {};
    jobs.push((await enqueue({ task: 'system.echo', input: { at }, queue: 'fuzz', ...delay })).id);
  }
  await http.call('POST', `/jobs/${jobs[0]}/cancel`, {});
  await made('PUT', '/queues/spare', {});
  const schedules = ['fuzz.a', 'fuzz.b', 'fuzz/c'];
  for (const name of schedules)
    await made('POST', '/schedules', {
      name,
      when: { cron: '0 3 * * *' },
      job: { task: 'system.echo', input: {} },
    });
  const keys: string[] = [];
  for (const name of ['fuzzed', 'gone']) keys.push(await made('POST', '/api-keys', { name, role: 'viewer' }));
  for (const id of letters) await http.jobIn(id, ['dead']);
  const sessions = [await made('POST', '/session', { key: api.key })];
  const replay = await made('POST', '/dead-letters/replay', { filter: { task: 'fuzz.none' } });
  // It takes so long that it can be aborted.
  await many(WAITING, { task: 'system.echo', queue: 'waits', delay: '1h' });
  const slow = await made('POST', '/batches', { action: 'cancel', filter: { queue: 'waits' }, rate: 1 });
  return {
    jobs,
    schedules,
    queues: ['fuzz', 'default', 'reports', 'letters'],
    deleteQueue: ['spare', 'spare', 'spare', 'fuzz'],
    tasks: ['system.echo', 'report.send', letter.name],
    workers: [worker, worker, worker, 'fuzzed'],
    stopWorker: [stopped, 'fuzzed'],
    'dead-letters': letters,
    getDeadLetter: letters.slice(0, LETTERS / 2),
    deleteDeadLetter: letters.slice(LETTERS / 2),
    replay: [replay],
    batches: [slow],
    sessions,
    'api-keys': keys,
    getApiKey: keys.slice(0, 1),
    revokeApiKey: keys.slice(1),
  };
}
