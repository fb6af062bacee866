import { decodeTaskSettings, encodeTaskSettings, type TaskSettings } from '@jetbeat/core';
import type { Bus } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { mendTold, putTold, type ToldKind } from './told-settings.ts';
import { type ToldWatch, watchTold } from './watch-told.ts';

const TOLD_OF_TASKS: ToldKind<TaskSettings> = {
  kind: 'task',
  encode: encodeTaskSettings,
  decode: decodeTaskSettings,
};

/** What holds for tasks, as far as it was said at run time and is known here. */
export type TaskSettingsWatch = ToldWatch<TaskSettings>;

/** Tells every process what was said of a task: `putTold`. */
export function putTaskSettings(bus: Bus, task: string, settings: TaskSettings): Promise<void> {
  return putTold(bus, TOLD_OF_TASKS, task, settings);
}

/** Makes what is told of tasks agree with the truth: `mendTold`. */
export function mendTaskSettings(
  bus: Bus,
  truth: () => Promise<ReadonlyMap<string, TaskSettings>>,
): Promise<string[]> {
  return mendTold(bus, TOLD_OF_TASKS, truth);
}

/** Follows what is said of all tasks, as `watchTold`. */
export function watchTaskSettings(bus: Bus, options: { readonly log?: Log } = {}): TaskSettingsWatch {
  return watchTold(bus, TOLD_OF_TASKS, options);
}
