import type { Instrument } from './instrument.ts';
import { API } from './table/api.ts';
import { PROCESS } from './table/process.ts';
import { RECORDER } from './table/recorder.ts';
import { SCHEDULER } from './table/scheduler.ts';
import { WORKER } from './table/worker.ts';

const TABLE = { ...PROCESS, ...WORKER, ...RECORDER, ...SCHEDULER, ...API };

/** The name of an instrument. */
export type MetricName = keyof typeof TABLE;

/** The labels of an instrument. */
export type LabelsOf<Name extends MetricName> = (typeof TABLE)[Name]['labels'][number];

/** Every instrument there is, in the order of `/metrics`; `docs/metrics.md` says the same. */
export const INSTRUMENTS: Readonly<Record<MetricName, Instrument>> = TABLE;
