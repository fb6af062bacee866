import type { Progress } from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';

/** How often what handlers say of their progress is told, milliseconds. */
const EVERY_MS = 250;
/** The most events of it at a time, and so 400 in a second, however many handlers run. */
const MAX_AT_ONCE = 100;

/** Tells history how far jobs are. Of what a handler says faster than it can be told, the last counts. */
export interface ProgressTeller {
  /** The handler of this job says so. */
  note(held: Held, progress: Progress): void;
  /** Its run ends now: what was said last goes out before its outcome. */
  end(held: Held): void;
  stop(): void;
}

/** Waits for nothing: what cannot be told now is told later, or never. Memory holds one progress for each job that runs. */
export function createProgressTeller(params: {
  events: Pick<EventPublisher, 'publish' | 'full'>;
  worker: string;
  now: () => number;
}): ProgressTeller {
  const { events, worker, now } = params;
  const said = new Map<Held, { readonly progress: Progress; readonly at: number }>();
  const onTheWay = new Set<Held>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const tell = (held: Held) => {
    const last = said.get(held);
    if (!last) return;
    said.delete(held);
    onTheWay.add(held);
    const { runId, startedAt = last.at } = held;
    const told = { ...last.progress, runId, worker, startedAt, at: last.at };
    const done = () => onTheWay.delete(held);
    events.publish({ kind: 'progress', ...held.facts(), ...told }).then(done, done);
  };
  const tellSome = () => {
    timer = undefined;
    let left = events.full ? 0 : MAX_AT_ONCE;
    for (const held of said.keys()) {
      if (left === 0) break;
      if (onTheWay.has(held)) continue;
      tell(held);
      left--;
    }
    if (said.size > 0) later();
  };
  const later = () => {
    if (!stopped) timer ??= setTimeout(tellSome, EVERY_MS);
  };
  return {
    note(held, progress) {
      // Taken out first, so that none waits for ever behind others that say much.
      if (held.phase !== 'running' || stopped) return;
      said.set(held, { progress, at: now() });
      later();
    },
    end(held) {
      if (said.size === 0) return;
      if (!events.full) tell(held);
      said.delete(held);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      said.clear();
    },
  };
}
