import { isDeepStrictEqual } from 'node:util';
import { CALLBACK_KINDS, type Callbacks, type Issue } from '@jetbeat/core';
import { ApiError } from '../problems/problem.ts';
import { isObject } from '../schedules/merge-patch.ts';
import type { Caller } from './caller.ts';

/** What says whether a caller may see inputs, results and notes. */
type Seeing = Pick<Caller, 'payloads'>;

const HIDDEN = ['input', 'meta', ...CALLBACK_KINDS] as const;

/**
 * Callbacks are sent what jobs were about and what came of it, so that of a schedule only who may see that says who is called. One that
 * is not seen is not to be guessed either: where the caller names callbacks itself, leave out `before`.
 * @param params.before the job of the schedule as it was; absent: it had none
 * @param params.pointer where the job stands in the body
 * @throws ApiError payloads_hidden
 */
export function checkCallbacks(
  { payloads }: Seeing,
  job: Callbacks,
  { before = {}, pointer = '/job' }: { before?: Callbacks; pointer?: string } = {},
): void {
  if (payloads) return;
  const changed = CALLBACK_KINDS.filter((kind) => !isDeepStrictEqual(job[kind], before[kind]));
  const message =
    'this says who is told of inputs, notes and results, and the key may not see these: what stands there stays, and a PATCH leaves it alone';
  refuse(changed.map((kind) => ({ pointer: `${pointer}/${kind}`, code: 'payloads_hidden', message })));
}

/**
 * A patch goes into what is stored: what becomes of it, or that nothing changes, would tell of what the caller may not see.
 * @throws ApiError payloads_hidden
 */
export function checkPatch({ payloads }: Seeing, patch: unknown): void {
  if (payloads || !isObject(patch) || !isObject(patch['job'])) return;
  const { job } = patch;
  const message =
    'the key may not see what stands here, and so not patch it: say the whole schedule with PUT';
  refuse(
    HIDDEN.filter((field) => Object.hasOwn(job, field)).map((field) => ({
      pointer: `/job/${field}`,
      code: 'payloads_hidden',
      message,
    })),
  );
}

function refuse(issues: readonly Issue[]): void {
  const [first] = issues;
  if (first) throw new ApiError('payloads_hidden', first.message, { issues });
}
