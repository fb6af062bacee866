export { type StartWorkerParams, start, type WorkerTimes } from './start.ts';
