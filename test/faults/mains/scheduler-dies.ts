import { publishJobs } from '@jetbeat/jetstream';
import { dispatchPass, materializePass } from '@jetbeat/postgres';
import { runApp } from '@jetbeat/runtime';
import { start } from '@jetbeat/scheduler';
import { diesAt } from './dies.ts';

/**
 * Where it dies: `plan`, `fire` (in time) or `claim` (what is caught up) with rows locked and nothing written, `commit` before anything is
 * published, `publish` before it is noted.
 */
const point = process.env['FAIL_POINT'];
let left = Number(process.env['FAIL_AT'] ?? 1);
const die = () => process.kill(process.pid, 'SIGKILL');
const dieAtLast = () => {
  if (--left === 0) die();
};

const ports = {
  ...(point === 'plan' && {
    materializePass: ((db, params) =>
      materializePass(db, {
        ...params,
        plan(schedules) {
          dieAtLast();
          return params.plan(schedules);
        },
      })) satisfies typeof materializePass,
  }),
  ...(point === 'fire' && {
    materializePass: ((db, params) =>
      materializePass(db, {
        ...params,
        fire(due) {
          dieAtLast();
          return params.fire?.(due);
        },
      })) satisfies typeof materializePass,
  }),
  ...(point === 'claim' && {
    dispatchPass: ((db, params) =>
      dispatchPass(db, {
        ...params,
        decide(due) {
          dieAtLast();
          return params.decide(due);
        },
      })) satisfies typeof dispatchPass,
  }),
  ...(point === 'commit' && {
    materializePass: (async (db, params) => {
      const done = await materializePass(db, params);
      if (done.fired.length > 0) dieAtLast();
      return done;
    }) satisfies typeof materializePass,
    dispatchPass: (async (db, params) => {
      const done = await dispatchPass(db, params);
      if (done.dispatched.length > 0) dieAtLast();
      return done;
    }) satisfies typeof dispatchPass,
  }),
};
const publish =
  point === 'publish' ? diesAt('after', publishJobs, (_bus, items) => items.length > 0) : publishJobs;
await runApp({ app: 'scheduler', start: (params) => start({ ...params, publish, ports }) });
