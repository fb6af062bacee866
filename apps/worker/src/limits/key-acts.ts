import type { Log } from '@jetbeat/runtime';
import { untilDone } from '../ends/until-done.ts';
import { inTurn, type Key, type Keys } from './keys.ts';
import type { Quiet } from './quiet.ts';

/** How something is done about the slots of keys that nobody waits for. */
export interface KeyActs {
  /** Does it by and by, again and again until it is done, or the worker has stopped. */
  act(what: string, work: () => Promise<unknown>): void;
  /**
   * In turn, and not before all have said again what they hold: slots go to others by it. The key is looked up each time, since it may
   * have been forgotten while NATS was away.
   */
  calmly(hash: string, work: (key: Key) => Promise<unknown>): Promise<void>;
}

/** Composes it. */
export function createKeyActs(params: {
  readonly keys: Pick<Keys, 'of'>;
  readonly quiet: Quiet;
  readonly stopped: AbortSignal;
  readonly log: Log;
}): KeyActs {
  const { keys, quiet, stopped, log } = params;
  return {
    act(what, work) {
      untilDone({
        act: work,
        signal: stopped,
        onRetry: (err) => log.warn({ err }, `could not ${what}; trying again`),
      }).catch(() => {});
    },
    async calmly(hash, work) {
      let done = false;
      while (!done && !stopped.aborted) {
        // Not in turn, where it would keep what is held from being said.
        if (quiet.isOn) await quiet.whenOver();
        await inTurn(keys.of(hash), async (key) => {
          if (quiet.isOn) return;
          await work(key);
          done = true;
        });
      }
    },
  };
}
