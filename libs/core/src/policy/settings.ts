import type { Priority } from '../jobs/envelope.ts';
import type { Callback, CallbackKind, Callbacks } from './callback.ts';
import { matchesGlob } from './glob.ts';
import { INLINE, type Isolation } from './isolation.ts';
import { type Policy, type PolicyOverrides, resolvePolicy } from './policy.ts';

/** What one layer says of a job: where it goes, and its policy. Times in milliseconds. */
export interface Layer {
  readonly queue?: string;
  readonly priority?: Priority;
  readonly policy?: PolicyOverrides;
  readonly isolation?: Isolation;
}

/** What the configuration says of one task. */
export interface ConfiguredTask {
  /** Above the task's own definition. */
  readonly over: Layer;
  /** Below it: the defaults of the installation. */
  readonly under: Layer;
}

/** What the configuration says of tasks; the same in every process of an installation. */
export interface Settings {
  /** What it says of the task of this name. */
  of(task: string): ConfiguredTask;
  /** What it says of the jobs of the queue of this name: their callbacks. */
  queue(name: string): Callbacks | undefined;
}

/** What settings are made of. The order of the patterns is that of the file. */
export interface SettingsParts {
  readonly routing: readonly (readonly [glob: string, queue: string])[];
  readonly tasks: readonly (readonly [glob: string, layer: Layer])[];
  readonly defaults: Layer;
  readonly queues?: ReadonlyMap<string, Callbacks>;
}

/** The queue of a job where no layer names one. */
export const DEFAULT_QUEUE = 'default';

/** Names that are remembered with what holds for them. They may come from strangers, so there is a bound. */
const MAX_KNOWN = 10_000;
const NOTHING: Layer = {};
const NO_QUEUES: ReadonlyMap<string, Callbacks> = new Map();
const NONE: readonly Callback[] = [];

/** What holds where nothing is configured. */
export const NO_SETTINGS: Settings = {
  of: () => UNCONFIGURED,
  queue: () => undefined,
};
const UNCONFIGURED: ConfiguredTask = { over: NOTHING, under: NOTHING };

/** Makes settings: of the patterns that fit a name the exact one holds, else the first. */
export function createSettings({ routing, tasks, defaults, queues = NO_QUEUES }: SettingsParts): Settings {
  if (routing.length + tasks.length + queues.size === 0 && Object.keys(defaults).length === 0)
    return NO_SETTINGS;
  const known = new Map<string, ConfiguredTask>();
  const find = (name: string): ConfiguredTask => {
    const layer = choose(tasks, name) ?? NOTHING;
    const queue = choose(routing, name) ?? layer.queue;
    return { over: queue === undefined ? layer : { ...layer, queue }, under: defaults };
  };
  return {
    of(name) {
      let found = known.get(name);
      if (found === undefined) {
        found = find(name);
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(name, found);
      }
      return found;
    },
    queue: (name) => queues.get(name),
  };
}

function choose<T>(choices: readonly (readonly [glob: string, value: T])[], name: string): T | undefined {
  const exact = choices.find(([glob]) => glob === name);
  return (exact ?? choices.find(([glob]) => matchesGlob(glob, name)))?.[1];
}

/** What a job gets where its call leaves it open: configuration of the task, task, configured defaults, built-in defaults. */
export function placeOf(
  call: Pick<Layer, 'queue' | 'priority'>,
  { over, under }: ConfiguredTask,
  task: Pick<Layer, 'queue' | 'priority'> = NOTHING,
): { readonly queue: string; readonly priority: Priority } {
  return {
    queue: call.queue ?? over.queue ?? task.queue ?? under.queue ?? DEFAULT_QUEUE,
    priority: call.priority ?? over.priority ?? task.priority ?? under.priority ?? 'normal',
  };
}

/** The policy of a job, all layers merged. */
export function policyOf(
  call: PolicyOverrides | undefined,
  { over, under }: ConfiguredTask,
  task: PolicyOverrides | undefined,
): Policy {
  return resolvePolicy(call, over.policy, task, under.policy);
}

/** How long after its run time a job expires where its call says nothing, in milliseconds. */
export function expiresOf(
  { over, under }: ConfiguredTask,
  task: PolicyOverrides | undefined,
): number | undefined {
  return over.policy?.expires ?? task?.expires ?? under.policy?.expires;
}

/** Where the handler of a task runs: configuration of the task, task, configured defaults, else in the worker itself. */
export function isolationOf({ over, under }: ConfiguredTask, task: Isolation | undefined): Isolation {
  return over.isolation ?? task ?? under.isolation ?? INLINE;
}

/** What a job calls when it has ended: of call, configuration of the task, task, queue, configured defaults the first that says something. */
export function callbacksOf(
  kind: CallbackKind,
  call: Callbacks | undefined,
  { over, under }: ConfiguredTask,
  task: Callbacks | undefined,
  queue: Callbacks | undefined,
): readonly Callback[] {
  return call?.[kind] ?? over.policy?.[kind] ?? task?.[kind] ?? queue?.[kind] ?? under.policy?.[kind] ?? NONE;
}
