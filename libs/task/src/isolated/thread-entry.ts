import { parentPort } from 'node:worker_threads';
import { describeThrown } from '../describe-thrown.ts';
import type { FromBox, ToBox } from './messages.ts';
import { serveRuns } from './serve-runs.ts';

/** A thread of the worker in which handlers run. */
const say = (message: FromBox) => parentPort?.postMessage(message);

process.on('uncaughtException', (error) => {
  say({ kind: 'fatal', error: describeThrown(error) });
  process.exit(1);
});
parentPort?.on('message', serveRuns({ say, close: () => process.exit(0) }) as (message: ToBox) => void);
say({ kind: 'ready' });
