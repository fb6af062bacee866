import { start } from '@jetbeat/api';
import { publishJobs } from '@jetbeat/jetstream';
import { runApp } from '@jetbeat/runtime';
import { diesAt } from './dies.ts';

const publish = diesAt('before', publishJobs, (_bus, items) => items.length > 0);
await runApp({ app: 'api', start: (params) => start({ ...params, publish }) });
