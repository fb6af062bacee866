import { type Api, askUntil, callApi } from './api-call.ts';

/** How late a scheduled job began after its nominal time, and how long it ran; both in milliseconds. */
export interface FirstRun {
  jobId: string;
  latenessMs: number;
  runMs: number;
}

/**
 * Waits for the first job of a schedule that has succeeded, of a nominal time not before `since` (milliseconds), so
 * that a second start does not show yesterday's. Undefined when the bound has passed.
 */
export function firstRun(
  params: Api & { schedule: string; since: number; timeoutMs: number; signal: AbortSignal },
): Promise<FirstRun | undefined> {
  const get = (path: string) => callApi({ ...params, method: 'GET', path });
  return askUntil({
    everyMs: 250,
    timeoutMs: params.timeoutMs,
    signal: params.signal,
    ask: async () => {
      const list = await get(`/api/v1/schedules/${encodeURIComponent(params.schedule)}/occurrences`);
      for (const { jobId, nominalTime } of occurrencesIn(list.body)) {
        if (nominalTime < params.since) continue;
        const run = runIn((await get(`/api/v1/jobs/${jobId}`)).body, nominalTime);
        if (run !== undefined) return { jobId, ...run };
      }
      return undefined;
    },
  });
}

interface Planned {
  jobId: string;
  nominalTime: number;
}

/** Those that became a job, the earliest first. */
function occurrencesIn(body: unknown): Planned[] {
  const items = (body as { items?: unknown } | null)?.items;
  const planned: Planned[] = [];
  for (const item of Array.isArray(items) ? items : []) {
    const { jobId, nominalTime } = item as { jobId?: unknown; nominalTime?: unknown };
    if (typeof jobId !== 'string' || typeof nominalTime !== 'string') continue;
    planned.push({ jobId, nominalTime: Date.parse(nominalTime) });
  }
  return planned.sort((a, b) => a.nominalTime - b.nominalTime);
}

function runIn(body: unknown, nominalTime: number): { latenessMs: number; runMs: number } | undefined {
  const job = body as { state?: unknown; startedAt?: unknown; finishedAt?: unknown } | null;
  if (job?.state !== 'succeeded' || typeof job.finishedAt !== 'string') return undefined;
  const finished = Date.parse(job.finishedAt);
  const started = typeof job.startedAt === 'string' ? Date.parse(job.startedAt) : finished;
  return { latenessMs: started - nominalTime, runMs: finished - started };
}

/** The one line about it. */
export function firstRunLine(schedule: string, run: FirstRun): string {
  return `The first job of the schedule ${schedule} has succeeded: ${run.latenessMs} ms late, ran ${run.runMs} ms (job ${run.jobId}).`;
}
