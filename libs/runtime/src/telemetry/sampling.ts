import { type Context, isSpanContextValid, type SpanContext, TraceFlags, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace';
import type { Environment } from '../variables.ts';

/** Whether traces are kept, by the standard variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. */
export interface Sampling {
  /**
   * @param traceId or the id of the job that it belongs to, a UUID: the same digits, with a dash before the last twelve
   * @param parentSampled undefined where the trace begins
   */
  samples(traceId: string, parentSampled: boolean | undefined): boolean;
}

/**
 * The last digits of a trace id are random (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag), also those of a job's
 * id; as many of them as a number holds. What a share keeps, a larger share keeps too.
 */
const RANDOM_DIGITS = 13;
const RANDOM = 16 ** RANDOM_DIGITS;
const DASH = 45;

/** Reads the sampler; what cannot be read is told, and then everything is kept, as the specification has it. */
export function readSampling(env: Environment, warn: (text: string) => void): Sampling {
  const name = env.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_always_on';
  const known = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name);
  if (!known) warn(`OTEL_TRACES_SAMPLER ${JSON.stringify(name)} is not known here: every trace is kept`);
  const heedsParent = !known || known[1] !== undefined;
  const ratio = ratioOf(known?.[2], env, warn);
  // Hexadecimal digits of one length compare as texts, and mostly the first of them decides.
  const least = Math.min(Math.floor((1 - ratio) * RANDOM), RANDOM - 1)
    .toString(16)
    .padStart(RANDOM_DIGITS, '0');
  const [leastFirst, leastRest] = [least.charCodeAt(0), least.slice(1)];
  const ofRoot = (id: string): boolean => {
    if (ratio === 0) return false;
    const at = id.length - RANDOM_DIGITS;
    const first = id.charCodeAt(id.charCodeAt(at) === DASH ? at - 1 : at);
    return first === leastFirst ? id.slice(at + 1) >= leastRest : first > leastFirst;
  };
  return {
    samples: (traceId, parentSampled) =>
      heedsParent && parentSampled !== undefined ? parentSampled : ofRoot(traceId),
  };
}

/** The same for the SDK, so that a request's span and those of libraries follow it. */
export function toSampler(sampling: Sampling): Sampler {
  return {
    shouldSample(at: Context, traceId: string): SamplingResult {
      const kept = sampling.samples(traceId, isSampled(trace.getSpanContext(at)));
      return { decision: kept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => 'JetbeatSampler',
  };
}

function isSampled(parent: SpanContext | undefined): boolean | undefined {
  if (!parent || !isSpanContextValid(parent)) return undefined;
  return (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
}

function ratioOf(kind: string | undefined, env: Environment, warn: (text: string) => void): number {
  if (kind === 'always_off') return 0;
  if (kind !== 'traceidratio') return 1;
  const text = env.OTEL_TRACES_SAMPLER_ARG?.trim() ?? '';
  const ratio = text === '' ? Number.NaN : Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  warn(`OTEL_TRACES_SAMPLER_ARG must be from 0 to 1, not ${JSON.stringify(text)}: every trace is kept`);
  return 1;
}
