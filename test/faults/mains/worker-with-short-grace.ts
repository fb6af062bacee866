import { runApp } from '@jetbeat/runtime';
import { start } from '@jetbeat/worker';

await runApp({ app: 'worker', start: (params) => start({ ...params, times: { graceMs: 1_000 } }) });
