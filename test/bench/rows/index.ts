import type { Row } from '../row.ts';
import { api } from './api.ts';
import { apiReads } from './api-reads.ts';
import { delayed } from './delayed.ts';
import { drain, drainRecorded } from './drain.ts';
import { drainTraced } from './drain-traced.ts';
import { enqueue500, enqueue5000, enqueueMany, enqueueOne } from './enqueue-rows.ts';
import { inProcesses, inThreads } from './isolated.ts';
import { keys } from './keys.ts';
import { large } from './large.ts';
import { latency200, latencyHalf } from './latency.ts';
import { memory } from './memory.ts';
import { priorityBacklog } from './priority-backlog.ts';
import { r3 } from './r3.ts';
import { results } from './results.ts';
import { retry } from './retry.ts';
import { schedule1000, schedule2000, scheduleOne } from './schedule.ts';
import { scheduleCreate } from './schedule-create.ts';
import { scheduleDrift } from './schedule-drift.ts';
import { scheduleIdle } from './schedule-idle.ts';
import { sse } from './sse.ts';
import { tenth } from './tenth.ts';
import { wholeWay } from './whole-way.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...[enqueueOne, enqueue500, enqueue5000, enqueueMany],
  ...[drain, drainRecorded, drainTraced, retry, wholeWay],
  ...[keys, inThreads, inProcesses, large],
  ...[latency200, latencyHalf, results, priorityBacklog, delayed, scheduleOne, schedule1000],
  ...[schedule2000, scheduleDrift, scheduleIdle, scheduleCreate],
  ...[api, apiReads, sse, r3, tenth, memory],
];
