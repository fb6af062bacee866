import { runApp } from '@jetbeat/runtime';
import { start } from '@jetbeat/worker';
import { diesAt } from './dies.ts';

const when = process.env['FAIL_WHEN'] === 'after' ? 'after' : 'before';
await runApp({
  app: 'worker',
  start: (params) =>
    start({
      ...params,
      ports: {
        callBack: (real) => diesAt(when, real),
      },
    }),
});
