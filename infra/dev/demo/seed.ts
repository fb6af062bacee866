import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, type Api, askUntil, callApi } from '../api-call.ts';
import { exists } from '../exists.ts';

/** The schedule of the demo. */
export const demoSchedule = 'demo.health';

/** What the demo has put into the system. */
export interface Seeded {
  /** What was refused, in words. */
  problems: string[];
}

const patienceMs = 15_000;

/**
 * Puts the demo in through the API: a schedule that calls the API's own health every 10 s, and, once per data folder,
 * a job that fails twice and then succeeds, and a delayed job. Does not throw; what was refused is in the answer.
 */
export async function seedDemo(
  params: Api & { dataDir: string; apiPort: number; signal: AbortSignal },
): Promise<Seeded> {
  const problems: string[] = [];
  const post = async (path: string, body: unknown, fine: readonly number[]): Promise<boolean> => {
    // An API that is up but not ready yet answers 503.
    const answer = await askUntil<Answer>({
      everyMs: 500,
      timeoutMs: patienceMs,
      signal: params.signal,
      ask: async () => {
        const given = await callApi({ ...params, method: 'POST', path, body });
        return given.status === 503 ? undefined : given;
      },
    });
    if (answer !== undefined && fine.includes(answer.status)) return true;
    if (params.signal.aborted) return false;
    const words = answer === undefined ? 'no answer' : `${answer.status} ${JSON.stringify(answer.body)}`;
    problems.push(`POST ${path}: ${words}`);
    return false;
  };
  // 409: it is there from an earlier start.
  await post('/api/v1/schedules', healthSchedule(params.apiPort), [200, 201, 202, 409]);
  const marker = join(params.dataDir, 'demo.json');
  if (await exists(marker)) return { problems };
  const flaky = await post('/api/v1/jobs', { task: 'demo.flaky', input: {} }, [202]);
  const delayed = { task: 'system.echo', input: { text: 'fifteen seconds later' }, delay: '15s' };
  const echo = await post('/api/v1/jobs', delayed, [202]);
  if (flaky && echo) await writeFile(marker, `${JSON.stringify({ seededAt: new Date().toISOString() })}\n`);
  return { problems };
}

function healthSchedule(apiPort: number): unknown {
  return {
    name: demoSchedule,
    when: { every: '10s' },
    job: {
      task: 'http.request',
      input: { method: 'GET', url: `http://127.0.0.1:${apiPort}/livez`, expectStatus: 200 },
    },
  };
}
