import type { Log } from '@jetbeat/runtime';
import type { Caller } from './caller.ts';

/** How often it is written that a key was used, milliseconds. */
const EVERY_MS = 60_000;
/** Keys of which it is remembered when that was. */
const MAX_KEYS = 1_000;

/** Notes when keys were used, behind the answers: at most once a minute each, and a note that fails is none. */
export interface KeyUses {
  note(id: string): void;
  /** Resolves when what was begun is written. */
  stop(): Promise<void>;
}

/** The same of keys and sessions. */
export interface CallerUses {
  note(caller: Pick<Caller, 'kind' | 'id'>): void;
}

/** @param params.now milliseconds of a clock that is never set back */
export function createKeyUses(params: {
  readonly write: (ids: readonly string[]) => Promise<void>;
  readonly log: Pick<Log, 'warn'>;
  readonly now?: () => number;
}): KeyUses {
  const { write, log, now = () => performance.now() } = params;
  const noted = new Map<string, number>();
  const waiting = new Set<string>();
  let writing: Promise<void> | undefined;
  let stopped = false;

  const writeAll = async (): Promise<void> => {
    while (waiting.size > 0) {
      const ids = [...waiting];
      waiting.clear();
      await write(ids).catch((err: unknown) => {
        log.warn({ err }, 'it could not be noted that keys or sessions were used');
      });
    }
    writing = undefined;
  };
  return {
    note(id) {
      const last = noted.get(id);
      if (stopped || (last !== undefined && now() - last < EVERY_MS)) return;
      noted.delete(id);
      const [oldest] = noted.keys();
      if (noted.size >= MAX_KEYS && oldest !== undefined) noted.delete(oldest);
      noted.set(id, now());
      waiting.add(id);
      writing ??= writeAll();
    },
    async stop() {
      stopped = true;
      await writing;
    },
  };
}
