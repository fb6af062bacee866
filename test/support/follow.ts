import type { Followed, FollowOptions } from '@jetbeat/client/http';
import { onTestFinished } from 'vitest';

/** A stream that is read in the background. */
export interface Following<Data> {
  /** What has come so far. */
  readonly events: readonly Followed<Data>[];
  /** Resolves when the stream is over; rejects with what the API refuses for good. */
  readonly over: Promise<void>;
  /** How often a connection was made. */
  readonly opened: number;
  /** Resolves with all events when there are so many. */
  atLeast(count: number): Promise<readonly Followed<Data>[]>;
  /** Resolves with the first event that fits. */
  first(fits: (event: Followed<Data>) => boolean): Promise<Followed<Data>>;
  end(): Promise<void>;
}

/** Resolves when the stream is open. It is ended when the test has finished. */
export async function following<Data>(
  follow: (options: FollowOptions) => AsyncGenerator<Followed<Data>>,
): Promise<Following<Data>> {
  const ended = new AbortController();
  const events: Followed<Data>[] = [];
  let opened = 0;
  let wake = Promise.withResolvers<void>();
  const tell = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const onOpen = () => {
    opened += 1;
    tell();
  };
  const over = (async () => {
    for await (const event of follow({ signal: ended.signal, onOpen })) {
      events.push(event);
      tell();
    }
  })();
  over.catch(() => {}).finally(tell);
  const end = async () => {
    ended.abort();
    await over.catch(() => {});
  };
  onTestFinished(end);
  await Promise.race([wake.promise, over]);
  return {
    events,
    over,
    get opened() {
      return opened;
    },
    async atLeast(count) {
      while (events.length < count) await wake.promise;
      return events;
    },
    async first(fits) {
      for (;;) {
        const found = events.find(fits);
        if (found) return found;
        await wake.promise;
      }
    },
    end,
  };
}
