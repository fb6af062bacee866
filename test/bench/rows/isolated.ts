import type { ManyOf } from '../load/command.ts';
import type { Row } from '../row.ts';
import { draining } from './drain.ts';

/** Threads, or child processes. */
const CHILDREN = 4;

function isolatedRow(params: { name: string; of: ManyOf; where: string; count: number }): Row {
  const { name, of, where, count } = params;
  return {
    name,
    what: `one worker drains no-op jobs that run in ${CHILDREN} ${where}, recorder stopped`,
    measures: [{ name: 'rate', unit: 'jobs/s', better: 'more' }],
    run: (open) =>
      open((stage) => {
        const env = { JETBEAT_CONCURRENCY: String(CHILDREN) };
        return draining(stage, { count, recorder: false, of, env });
      }),
  };
}

/** What a job costs in a thread of the worker. */
export const inThreads = isolatedRow({
  name: 'thread',
  of: 'in-thread',
  where: 'threads',
  count: 50_000,
});

/** What it costs in a child process, which is replaced after a thousand jobs. */
export const inProcesses = isolatedRow({
  name: 'process',
  of: 'in-process',
  where: 'child processes',
  count: 50_000,
});
