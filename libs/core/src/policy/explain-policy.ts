import { CALLBACK_KINDS, type Callback, type CallbackKind, type Callbacks } from './callback.ts';
import { type Policy, type PolicyOverrides, type RetryPolicy, resolvePolicy } from './policy.ts';
import { type ConfiguredTask, callbacksOf } from './settings.ts';

/** Who may say something of a job's policy, the first winning; `queue`: the configuration of its queue, of callbacks alone. */
export const POLICY_LAYERS = ['call', 'configuration', 'task', 'queue', 'defaults', 'built-in'] as const;
/** Who has said something of a job's policy. */
export type PolicyLayer = (typeof POLICY_LAYERS)[number];

/** The policy of a job, and whose word each part of it is. */
export interface ExplainedPolicy extends Policy {
  readonly callbacks: Readonly<Record<CallbackKind, readonly Callback[]>>;
  readonly from: {
    readonly retry: Readonly<Partial<Record<keyof RetryPolicy, PolicyLayer>>>;
    readonly timeout: Readonly<{ soft?: PolicyLayer; hard: PolicyLayer }>;
    readonly callbacks: Readonly<Record<CallbackKind, PolicyLayer>>;
  };
}

/** Works out the policy of a job as `policyOf` and `callbacksOf` do, and says who has said what. */
export function explainPolicy(said: {
  readonly call?: PolicyOverrides | undefined;
  readonly configured: ConfiguredTask;
  readonly task?: PolicyOverrides | undefined;
  readonly queue?: Callbacks | undefined;
}): ExplainedPolicy {
  const { call, configured, task, queue } = said;
  const { over, under } = configured;
  const layers: readonly (readonly [PolicyLayer, PolicyOverrides | undefined])[] = [
    ['call', call],
    ['configuration', over.policy],
    ['task', task],
    ['queue', queue],
    ['defaults', under.policy],
  ];
  const from = (says: (layer: PolicyOverrides) => unknown): PolicyLayer =>
    layers.find(([, layer]) => layer && says(layer) !== undefined)?.[0] ?? 'built-in';
  const policy = resolvePolicy(call, over.policy, task, under.policy);
  const fields = Object.keys(policy.retry) as (keyof RetryPolicy)[];
  const callbacks = (kind: CallbackKind) => callbacksOf(kind, call, configured, task, queue);
  return {
    ...policy,
    callbacks: byKind(callbacks),
    from: {
      retry: Object.fromEntries(fields.map((field) => [field, from(({ retry }) => retry?.[field])])),
      timeout: {
        ...(policy.timeout.soft === undefined ? {} : { soft: from(({ timeout }) => timeout?.soft) }),
        hard: from(({ timeout }) => timeout?.hard),
      },
      callbacks: byKind((kind) => from((layer) => layer[kind])),
    },
  };
}

function byKind<T>(of: (kind: CallbackKind) => T): Record<CallbackKind, T> {
  return Object.fromEntries(CALLBACK_KINDS.map((kind) => [kind, of(kind)])) as Record<CallbackKind, T>;
}
