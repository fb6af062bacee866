import { publishJobs } from '@jetbeat/jetstream';
import { runApp } from '@jetbeat/runtime';
import { start } from '@jetbeat/scheduler';
import { diesAt } from './dies.ts';

const publish = diesAt('before', publishJobs, (_bus, items) => items.length > 0);
await runApp({ app: 'scheduler', start: (params) => start({ ...params, publish }) });
