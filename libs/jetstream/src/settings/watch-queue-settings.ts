import { isPaused, type QueueSettings } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { TOLD_OF_QUEUES } from './queue-settings.ts';
import { type ToldWatch, watchTold } from './watch-told.ts';

/** What holds for queues, as far as it is known here. It also calls whose pause is over (`onChange`). */
export interface QueueSettingsWatch extends Omit<ToldWatch<QueueSettings>, 'all'> {
  /** Whether no job of the queue may begin now; cheap. */
  isPaused(queue: string): boolean;
}

/** Node's longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Follows the settings of all queues, as `watchTold`, and tells when a pause is over by itself. */
export function watchQueueSettings(bus: Bus, options: { readonly log?: Log } = {}): QueueSettingsWatch {
  const told = watchTold(bus, TOLD_OF_QUEUES, options);
  const listeners = new Set<(queue: string, settings: QueueSettings | undefined) => void>();
  let timer: NodeJS.Timeout | undefined;
  const tell = (queue: string) => {
    for (const listener of listeners) listener(queue, told.of(queue));
  };
  const paused = (queue: string): boolean => {
    const settings = told.of(queue);
    return settings?.paused !== undefined && isPaused(settings, Date.now());
  };
  const pausedUntil = () => {
    const now = Date.now();
    return [...told.all()].flatMap(([queue, settings]): { queue: string; until: number }[] => {
      const until = settings.paused?.until;
      return until !== undefined && until > now ? [{ queue, until }] : [];
    });
  };
  /** So that whoever waits for the end of a pause is told of it. */
  const setTimer = () => {
    clearTimeout(timer);
    const open = pausedUntil();
    const next = Math.min(...open.map(({ until }) => until));
    if (!Number.isFinite(next)) return;
    const ringing = open.filter(({ until }) => until === next);
    timer = setTimeout(
      () => {
        setTimer();
        for (const { queue } of ringing) if (!paused(queue)) tell(queue);
      },
      Math.min(MAX_TIMER_MS, Math.max(1, next - Date.now())),
    );
  };
  told.onChange((queue) => {
    setTimer();
    tell(queue);
  });
  const close = () => {
    clearTimeout(timer);
    listeners.clear();
    told.close();
    forget();
  };
  const forget = inside(bus).own(close);
  return {
    of: told.of.bind(told),
    isPaused: paused,
    load: () => told.load(),
    onChange(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
    close,
  };
}
