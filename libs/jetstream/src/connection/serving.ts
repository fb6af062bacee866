import type { Msg } from '@nats-io/nats-core';
import type { BusConnection } from './bus.ts';
import type { Log } from './log.ts';
import { within } from './pause.ts';

/** Somebody who answers questions, until it is closed. */
export interface Serving {
  /** Answers no more; what is being answered is finished, within a bound. Safe twice. */
  close(): Promise<void>;
}

const decoder = new TextDecoder();
/** What the client's `createInbox` makes, and what Replies puts behind it. */
const INBOX = /^_INBOX(?:\.[\w-]+)+$/;

/**
 * Whether an answer may go there. Whoever asks says where; an answer goes with our rights and not with his, so that it must not go to the
 * streams of jobs or events.
 */
export function isInbox(subject: string | undefined): subject is string {
  return subject !== undefined && INBOX.test(subject);
}

/** Answers each message on a subject with what `answer` makes of its JSON; no answer is sent for `undefined`, or when it throws. */
export function serve(
  bus: BusConnection,
  params: { subject: string; group?: string; log: Log; answer: (question: unknown) => unknown },
): Serving {
  const busy = new Set<Promise<void>>();
  const take = async (message: Msg) => {
    try {
      const answer = await params.answer(JSON.parse(decoder.decode(message.data)));
      if (answer !== undefined && isInbox(message.reply) && !bus.nc.isClosed())
        bus.nc.publish(message.reply, JSON.stringify(answer));
    } catch (err) {
      params.log.warn({ err, subject: params.subject }, 'a question could not be answered');
    }
  };
  const subscription = bus.nc.subscribe(params.subject, {
    ...(params.group === undefined ? {} : { queue: params.group }),
    callback: (error, message) => {
      if (error) return;
      const taken: Promise<void> = take(message).finally(() => busy.delete(taken));
      busy.add(taken);
    },
  });
  let closing: Promise<void> | undefined;
  const close = async () => {
    forget();
    if (bus.connected)
      await within(
        subscription.drain().catch(() => {}),
        1_000,
      );
    else if (!bus.nc.isClosed()) subscription.unsubscribe();
    await within(Promise.all(busy), 2_000);
  };
  const forget = bus.own(() => {
    closing ??= close();
    return closing;
  });
  return {
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
