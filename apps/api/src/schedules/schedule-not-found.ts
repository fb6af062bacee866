import { ApiError } from '../problems/problem.ts';

/** The error for a schedule that is not there, or not for who asks. */
export function scheduleNotFound(name: string): ApiError {
  return new ApiError(
    'schedule_not_found',
    `there is no schedule named ${JSON.stringify(name.slice(0, 128))}`,
  );
}
