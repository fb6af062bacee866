import type { Outcome } from '@jetbeat/core';
import { describeThrown, toStored } from './describe-thrown.ts';
import type { Execution, Performed } from './execution.ts';
import { kindsOf } from './kinds-of.ts';
import { type Limits, SoftTimeLimitError } from './limits.ts';
import { isOnPurpose, type OnPurposeError, type Purpose } from './on-purpose.ts';

const OUTCOME_OF: Readonly<Record<Purpose, Exclude<Outcome, 'lost'>>> = {
  retry: 'failed',
  snooze: 'snoozed',
  reject: 'rejected',
  cancel: 'cancelled',
};

const SUCCEEDED: Execution = { outcome: 'succeeded' };

/**
 * Names the outcome of a handler that ended within its hard limit. What it said on purpose counts first; else an error
 * after an abort is put down to whatever aborted.
 */
export function outcomeOf(performed: Performed, limits: Pick<Limits, 'aborted' | 'reason'>): Execution {
  if ('value' in performed) {
    const { value } = performed;
    return value === undefined ? SUCCEEDED : { outcome: 'succeeded', result: value };
  }
  const { thrown } = performed;
  if (performed.invalid) return { outcome: 'rejected', error: describeThrown(thrown) };
  const { aborted, reason } = limits;
  const isLate = reason instanceof SoftTimeLimitError;
  if (isOnPurpose(thrown)) return onPurpose(thrown, isLate);
  const error = describeThrown(thrown);
  if (isLate) {
    const late = thrown === reason ? error : afterSoftLimit(reason, error);
    return { outcome: 'timed-out', error: late, kinds: kindsOf(reason) };
  }
  if (isOnPurpose(reason) && reason.purpose === 'cancel')
    return { outcome: 'cancelled', error: describeThrown(reason) };
  if (aborted) return { outcome: 'failed', error, interrupted: true };
  return { outcome: 'failed', error, kinds: kindsOf(thrown) };
}

function onPurpose(thrown: OnPurposeError, isLate: boolean): Execution {
  const outcome = OUTCOME_OF[thrown.purpose];
  const { failure } = thrown;
  return {
    outcome: isLate && outcome === 'failed' ? 'timed-out' : outcome,
    error: describeThrown(failure ?? thrown),
    ...(failure === undefined ? {} : { kinds: kindsOf(failure) }),
    ...(thrown.delay === undefined ? {} : { delay: thrown.delay }),
    ...(thrown.until === undefined ? {} : { until: thrown.until }),
  };
}

function afterSoftLimit(limit: SoftTimeLimitError, error: NonNullable<Execution['error']>) {
  const { name, code } = limit;
  return toStored(
    { ...error, name, code },
    `${limit.message}; the handler then threw ${error.name}: ${error.message}`,
  );
}
