import { setTimeout as sleep } from 'node:timers/promises';
import type { GapReason, LiveGap } from '@jetbeat/core/http';
import type { Listener } from './audience.ts';
import type { Batch } from './batch.ts';
import { type EventPlace, eventId } from './event-id.ts';
import { frame, placeFrame } from './frame.ts';
import type { Hub } from './hub.ts';
import { nextStep, type Step } from './next-step.ts';
import type { Outlet } from './outlet.ts';
import { restOf, type Seen, seenAfter } from './slices.ts';
import type { View } from './view.ts';

/** What happens, written to one client. */
export interface Feed {
  /** Begins. Resolves when what it missed is told and it hears what happens, or it is closed. */
  begin(): Promise<void>;
  /** Says that the stream lives, and where it is. */
  beat(): void;
  /** Gaps that were told. */
  readonly gaps: number;
}

/** How long it is waited for what lags behind, milliseconds, and how often. */
const LAG_MS = 50;
const LAGS = 40;
/** How often it is looked whether it is known again that the client may still be told, milliseconds. */
const UNSURE_MS = 100;

/** What was told of one reading. */
interface Told {
  readonly batches: number;
  /** Those that are written whole. */
  readonly written: number;
}

/** @param params.after how far the client has been told; absent: it wants only what comes */
export function createFeed(params: {
  readonly hub: Hub;
  readonly outlet: Outlet;
  readonly view: View;
  readonly after: EventPlace | 'unknown' | undefined;
}): Feed {
  const { hub, outlet, view, after } = params;
  /** How far the client has been told. */
  let told: EventPlace | undefined;
  let live = false;
  /** It reads too slowly: nothing is written until it has read what waits. */
  let lagging = false;
  let gaps = 0;
  /** Batches of one reading of what it has missed: as many as can be written at once. */
  let wide = Number.POSITIVE_INFINITY;

  const tellGap = (reason: GapReason, to: EventPlace): void => {
    const id = eventId(to);
    const data: LiveGap = { type: 'gap', reason, from: told ? eventId(told) : null, to: id };
    gaps += 1;
    told = to;
    outlet.say(frame({ id, type: 'gap', data }));
  };
  const lag = (): void => {
    lagging = true;
    void outlet.drained().then(() => {
      lagging = false;
      // What came meanwhile is left out; history has it.
      if (!outlet.closed && hub.place) tellGap('slow', plain(hub.place));
    });
  };
  const listener: Listener = {
    view,
    take(seen: Seen) {
      if (lagging) return;
      const fresh =
        told && told.epoch === seen.place.epoch && told.seq >= seen.place.seq
          ? restOf(view, seen, told)
          : seen;
      for (const slice of fresh?.slices ?? []) {
        if (!outlet.write(slice.chunk)) return lag();
        told = slice.place;
      }
      if (fresh) told = seen.place;
    },
    miss(reason, place) {
      if (!lagging) tellGap(reason, plain(place));
    },
  };

  const listen = (): void => {
    if (outlet.closed) return;
    live = true;
    outlet.onClose(hub.listen(listener));
  };
  /** Tells what the client has missed, and listens from there on. Returns why that cannot be told, if so. */
  const catchUp = async (from: EventPlace): Promise<GapReason | undefined> => {
    told = from;
    let read = 0;
    for (let lags = 0; !outlet.closed && lags < LAGS; ) {
      if (!hub.mayTell) {
        await sleep(UNSURE_MS);
        continue;
      }
      const step: Step = nextStep(told, hub.place, read);
      if (step.do === 'gap') return step.reason;
      // From the look at the hub's place to this nothing may come in between.
      if (step.do === 'listen') {
        listen();
        return undefined;
      }
      const next = await tellNext(step);
      if (!next) return 'trimmed';
      if (next.batches === 0) lags += 1;
      read += next.written;
    }
    return 'unknown';
  };
  /** Undefined where what comes next is not kept any more. */
  const tellNext = async (step: Step): Promise<Told | undefined> => {
    if (step.do !== 'read') {
      await sleep(LAG_MS);
      return { batches: 0, written: 0 };
    }
    const next = await tellPage(step);
    // What could not be written is read again then: it is not kept for a client that takes its time.
    if (next && next.written < next.batches) await outlet.drained();
    return next;
  };
  const tellPage = async ({ from, upTo }: { from: number; upTo: number }): Promise<Told | undefined> => {
    const batches = await hub.read({ from, upTo: Math.min(upTo, from + wide - 1) });
    const [oldest] = batches;
    if (!oldest) await sleep(LAG_MS);
    else if (oldest.seq > from) return undefined;
    // That took its time too: it is read again once it may be told.
    else if (!hub.mayTell) return { batches: batches.length, written: 0 };
    const written = writeFrom(batches);
    wide = written < batches.length ? Math.max(1, written) : wide * 2;
    return { batches: batches.length, written };
  };
  /** Writes until too much waits. Returns how many batches were written whole. */
  const writeFrom = (batches: readonly Batch[]): number => {
    for (const [index, batch] of batches.entries()) {
      if (!told) return index;
      for (const slice of seenAfter(view, batch, told)?.slices ?? []) {
        if (!outlet.write(slice.chunk)) return index;
        told = slice.place;
      }
      told = { epoch: told.epoch, seq: batch.seq };
    }
    return batches.length;
  };

  return {
    get gaps() {
      return gaps;
    },
    async begin() {
      const reason = after === 'unknown' ? 'unknown' : after && (await catchUp(after));
      const now = hub.place;
      if (outlet.closed) return;
      if (!now) return outlet.end();
      if (!live) {
        if (reason === undefined) told = plain(now);
        else tellGap(reason, plain(now));
        listen();
      }
      outlet.say(placeFrame(eventId(told ?? now)));
    },
    beat() {
      if (!live || lagging || !hub.place) return;
      const ahead = told && told.epoch === hub.place.epoch && told.seq > hub.place.seq;
      if (!ahead) told = plain(hub.place);
      outlet.say(placeFrame(eventId(told ?? hub.place)));
    },
  };
}

function plain({ epoch, seq }: EventPlace): EventPlace {
  return { epoch, seq };
}
