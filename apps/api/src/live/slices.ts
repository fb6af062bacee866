import type { Batch } from './batch.ts';
import { type EventPlace, isAfter } from './event-id.ts';
import type { ToldEvent } from './told-event.ts';
import type { View } from './view.ts';

/** Some events of a batch, as they are written: it is written wholly or not at all. */
interface Slice {
  readonly chunk: Buffer;
  /** What has been told then. */
  readonly place: EventPlace;
}

/** What a view sees of a batch. */
export interface Seen {
  /** All of the batch. */
  readonly place: EventPlace;
  readonly events: readonly ToldEvent[];
  /** The same for all who have the view. */
  readonly slices: readonly Slice[];
}

/** Characters in one slice, more or less; a client that is too slow loses no more than it must. */
const SLICE = 32_768;

/** What the view sees of the batch; undefined when that is nothing. */
export function seenOf(view: View, epoch: string, batch: Batch): Seen | undefined {
  const events = batch.events.filter(view.sees);
  if (events.length === 0) return undefined;
  return seen(view, { epoch, seq: batch.seq }, events);
}

/** What of it whoever has been told up to `after` has not been told. */
export function seenAfter(view: View, batch: Batch, after: EventPlace): Seen | undefined {
  const { seq } = batch;
  const events = batch.events.filter(
    (event) => isAfter({ seq, index: event.index }, after) && view.sees(event),
  );
  return events.length === 0 ? undefined : seen(view, { epoch: after.epoch, seq }, events);
}

/** The same of what was seen already. */
export function restOf(view: View, { place, events }: Seen, after: EventPlace): Seen | undefined {
  const rest = events.filter(({ index }) => isAfter({ seq: place.seq, index }, after));
  return rest.length === 0 ? undefined : seen(view, place, rest);
}

function seen(view: View, place: EventPlace, events: readonly ToldEvent[]): Seen {
  let slices: readonly Slice[] | undefined;
  return {
    place,
    events,
    get slices() {
      slices ??= sliced(view, place, events);
      return slices;
    },
  };
}

function sliced(view: View, batch: EventPlace, events: readonly ToldEvent[]): Slice[] {
  const slices: Slice[] = [];
  let text = '';
  for (const [at, event] of events.entries()) {
    text += view.frameOf(event, batch);
    if (text.length < SLICE && at < events.length - 1) continue;
    slices.push({ chunk: Buffer.from(text), place: { ...batch, index: event.index } });
    text = '';
  }
  return slices;
}
