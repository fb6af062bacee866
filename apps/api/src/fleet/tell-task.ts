import { putTaskSettings } from '@jetbeat/jetstream';
import { taskSettingsOf } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';

/** Tells what was said of a task over NATS. */
export function tellTask(messaging: () => Messaging | undefined): Parts['tellTask'] {
  return async (limits) => {
    const text = 'what was asked is stored, and holds for workers when NATS answers again; repeat to be sure';
    const found = messaging()?.bus;
    if (!found?.connected) throw new ApiError('messaging_unavailable', text, { retryAfter: 5 });
    await putTaskSettings(found, limits.name, taskSettingsOf(limits)).catch((cause: unknown) => {
      throw new ApiError('messaging_unavailable', text, { retryAfter: 5, cause });
    });
  };
}
