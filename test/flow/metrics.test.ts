import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { scrape } from '../support/metrics.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

let stack: Stack;
let apps: { api: AppProcess; scheduler: AppProcess; recorder: AppProcess; worker: AppProcess };

beforeAll(async () => {
  stack = await startStack();
  const names = ['api', 'recorder', 'scheduler', 'worker'] as const;
  const [api, recorder, scheduler, worker] = await Promise.all(names.map((name) => stack.start(name)));
  if (!api || !recorder || !scheduler || !worker) throw new Error('an app is missing');
  apps = { api, recorder, scheduler, worker };
}, 60_000);
afterAll(() => stack?.stop());

const JOBS = 60;

describe('metrics of every app', () => {
  test('count what was run, also while they are scraped all the time', async () => {
    let scrapes = 0;
    const ended = new AbortController();
    const scrapeAll = async () => {
      while (!ended.signal.aborted || scrapes < 3) {
        for (const { healthUrl } of Object.values(apps)) await scrape(healthUrl);
        scrapes += 1;
      }
    };
    const scraping = scrapeAll();
    const jobs = await Promise.all(
      Array.from({ length: JOBS }, (_, index) =>
        stack.http.call('POST', '/jobs', { task: 'system.echo', input: { index } }),
      ),
    );
    expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 202));
    await waitUntil('all have succeeded', async () => {
      const { body } = await stack.http.call<{ items: unknown[] }>('GET', '/jobs?state=succeeded&limit=200');
      return body.items.length === JOBS;
    });
    ended.abort();
    await scraping;

    const api = await scrape(apps.api.healthUrl);
    expect(api.sum('jetbeat_api_jobs_accepted_total', { queue: 'default' })).toBe(JOBS);
    const posts = { route: '/api/v1/jobs', method: 'POST' };
    expect(api.sum('jetbeat_api_requests_total', { ...posts, status: '2xx' })).toBe(JOBS);
    // Those too that were refused while the machine was busy, and repeated.
    const asked = api.sum('jetbeat_api_requests_total', posts);
    expect(api.sum('jetbeat_api_request_seconds_count', posts)).toBe(asked);
    expect(api.sum('jetbeat_api_requests_in_flight')).toBe(1);

    // History may know of a job before its worker knows that.
    const worker = await waitUntil('it holds nothing any more', async () => {
      const found = await scrape(apps.worker.healthUrl);
      return found.sum('jetbeat_worker_jobs_held') === 0 && found;
    });
    const echo = { queue: 'default', task: 'system.echo' };
    expect(worker.sum('jetbeat_worker_jobs_taken_total')).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_attempts_started_total', echo)).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_attempts_total', { ...echo, outcome: 'succeeded' })).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_attempts_total')).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_run_seconds_count', echo)).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_wait_seconds_count')).toBe(JOBS);
    expect(worker.sum('jetbeat_worker_jobs_redelivered_total')).toBe(0);

    const recorder = await scrape(apps.recorder.healthUrl);
    expect(recorder.sum('jetbeat_recorder_events_total')).toBeGreaterThanOrEqual(JOBS);
    expect(recorder.sum('jetbeat_recorder_skipped_total')).toBe(0);
    expect(recorder.sum('jetbeat_recorder_transaction_seconds_count')).toBeGreaterThan(0);
    const scheduler = await scrape(apps.scheduler.healthUrl);
    expect(scheduler.sum('jetbeat_scheduler_passes_total', { result: 'ok' })).toBeGreaterThan(0);
    expect(scheduler.sum('jetbeat_scheduler_passes_total', { result: 'failed' })).toBe(0);
  });

  test('the fleet: nothing waits any more, one worker, and what waits for a worker that there is not', async () => {
    const fleet = () => scrape(apps.api.healthUrl);
    await waitUntil('the view has caught up', async () => {
      const page = await fleet();
      return (
        page.sum('jetbeat_events_unrecorded_batches') === 0 &&
        page.sum('jetbeat_workers', { state: 'running' }) === 1
      );
    });
    expect((await fleet()).sum('jetbeat_fleet_up')).toBe(2);
    expect((await fleet()).sum('jetbeat_queue_pending_jobs')).toBe(0);
    await stack.http.call('POST', '/jobs', { task: 'not.served', input: null });
    await stack.http.call('POST', '/jobs', { task: 'system.echo', input: null, delay: '1h' });
    const page = await waitUntil('one is parked, one waits for its time', async () => {
      const found = await fleet();
      return (
        found.sum('jetbeat_open_jobs', { state: 'parked' }) === 1 &&
        found.sum('jetbeat_open_jobs', { state: 'scheduled' }) === 1 &&
        found.sum('jetbeat_parked_jobs') === 1 &&
        found.sum('jetbeat_timer_jobs') === 1 &&
        found.sum('jetbeat_stream_messages', { stream: 'JOBS' }) === 2 &&
        found
      );
    });
    const worker = await scrape(apps.worker.healthUrl);
    expect(worker.sum('jetbeat_worker_jobs_parked_total', { what: 'task' })).toBe(1);
    expect(page.sum('jetbeat_dead_letters')).toBe(0);
    expect(page.sum('jetbeat_queue_oldest_age_seconds')).toBe(0);
  });

  test('say how an occurrence came out, and how late it was', async () => {
    const at = new Date(Date.now() + 1_000).toISOString();
    const job = { task: 'system.echo', input: null };
    const made = await stack.http.call('POST', '/schedules', { name: 'once', when: { at }, job });
    expect(made.status).toBe(201);
    const page = await waitUntil('it has fired', async () => {
      const found = await scrape(apps.scheduler.healthUrl);
      const dispatched = found.sum('jetbeat_scheduler_occurrences_total', { state: 'dispatched' });
      return found.sum('jetbeat_scheduler_lateness_seconds_count') === 1 && dispatched === 1 && found;
    });
    expect(page.sum('jetbeat_scheduler_occurrences_total', { state: 'skipped' })).toBe(0);
    expect(page.sum('jetbeat_scheduler_lateness_seconds_sum')).toBeLessThan(5);
  });

  test('have all that docs/metrics.md promises, and nothing else', async () => {
    const docs = await readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const documented = [...docs.matchAll(/^\| `([a-z0-9_]+)` +\|/gm)].map(([, name]) => name);
    const pages = await Promise.all(Object.values(apps).map(({ healthUrl }) => scrape(healthUrl)));
    const found = new Set(pages.flatMap(({ families }) => [...families.keys()]));
    expect([...found].sort()).toEqual(documented.sort());
  });

  test('HEAD, unknown paths, other methods, and a hundred scrapers at once', async () => {
    for (const { healthUrl } of Object.values(apps)) {
      const head = await fetch(`${healthUrl}/metrics`, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      expect(head.headers.get('content-type')).toContain('version=0.0.4');
      expect((await fetch(`${healthUrl}/metrics/x`)).status).toBe(404);
      expect((await fetch(`${healthUrl}/metrics`, { method: 'POST' })).status).toBe(405);
      const begun = performance.now();
      const pages = await Promise.all(Array.from({ length: 100 }, () => scrape(healthUrl)));
      expect(pages).toHaveLength(100);
      expect(performance.now() - begun).toBeLessThan(5_000);
    }
  });

  test('without NATS the page is there in time, and says what could not be asked', async () => {
    stack.nats.kill();
    await stack.nats.exited;
    const page = await waitUntil('NATS is seen to be away', async () => {
      const found = await scrape(apps.api.healthUrl);
      const away = found.sum('jetbeat_fleet_up', { source: 'jetstream' }) === 0;
      return away && found.sum('jetbeat_nats_connected') === 0 && found;
    });
    expect(page.sum('jetbeat_fleet_up', { source: 'postgresql' })).toBe(1);
    expect(page.families.has('jetbeat_queue_pending_jobs')).toBe(false);
    await waitUntil('the recorder sees it too', async () => {
      return (await scrape(apps.recorder.healthUrl)).sum('jetbeat_nats_connected') === 0;
    });
  });
});
