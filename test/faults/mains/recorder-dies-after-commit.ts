import { recordChanges } from '@jetbeat/postgres';
import { start } from '@jetbeat/recorder';
import { runApp } from '@jetbeat/runtime';
import { diesAt } from './dies.ts';

const hasJobs = (_db: unknown, params: { changes: { jobs: readonly unknown[] } }) =>
  params.changes.jobs.length > 0;
const ports = { recordChanges: diesAt('after', recordChanges, hasJobs) };
await runApp({ app: 'recorder', start: (params) => start({ ...params, ports }) });
