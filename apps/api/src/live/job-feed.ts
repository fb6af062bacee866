import { isTerminal } from '@jetbeat/core';
import type { LiveJobEvent } from '@jetbeat/core/http';
import type { JobMark, ListedJob } from '@jetbeat/postgres';
import type { Listener } from './audience.ts';
import { frame } from './frame.ts';
import type { Hub } from './hub.ts';
import type { Outlet } from './outlet.ts';
import type { ToldJobEvent } from './told-event.ts';
import type { View } from './view.ts';

/** The id of the event after which nothing comes any more. */
export const END = 'end';

/** What happens to one job, written to one client. */
export interface JobFeed {
  readonly job: string;
  /** Begins with what history knows. */
  begin(): Promise<void>;
  beat(): void;
  /** What history shows now: shows the job anew where no event has told of it, as of a job that was cancelled before it began. */
  compare(mark: JobMark): void;
}

/** What is shown of the job. */
export interface Picture {
  readonly row: ListedJob;
  /** As a list shows it to this caller. */
  readonly json: unknown;
  /** Where it is over. */
  readonly end: LiveJobEvent | undefined;
}

/** Events that may wait while history is read; with more it is read once more. */
const MOST_WAITING = 200;
const HERE = ': here\n\n';

/** @param params.look reads the job as its caller may see it; undefined when it is not there any more */
export function createJobFeed(params: {
  readonly job: string;
  readonly hub: Hub;
  readonly outlet: Outlet;
  readonly view: View;
  readonly look: () => Promise<Picture | undefined>;
  readonly warn: (err: unknown) => void;
}): JobFeed {
  const { job, hub, outlet, view, look, warn } = params;
  /** How far the client has been told. */
  let told: Omit<JobMark, 'id'> | undefined;
  let progressAt = 0;
  /** What comes while history is read. */
  let waiting: ToldJobEvent[] | undefined;
  let again = false;
  /** History was ahead at the last look; the event of that may still be on its way. */
  let ahead = false;

  const end = (data: LiveJobEvent): void => {
    outlet.say(frame({ id: END, type: data.type, data }));
    outlet.end();
  };
  const tell = (event: ToldJobEvent): void => {
    const { order, type, at, dueAt, ends } = event;
    const { state, priority } = event.data.job;
    const known = told?.order ?? 0;
    const isNews = ends || order > known || (type === 'job.progress' && order === known && at > progressAt);
    if (!isNews || outlet.closed) return;
    const data = view.dataOf(event) as LiveJobEvent;
    if (ends) end(data);
    else if (outlet.write(Buffer.from(frame({ id: String(order), type, data })))) {
      // Of progress it is not said anew when the job should have begun.
      told = { order, state, priority, dueAt: type === 'job.progress' && told ? told.dueAt : dueAt };
      if (type === 'job.progress') progressAt = at;
    } else show();
  };
  const showAll = async (): Promise<void> => {
    let come: ToldJobEvent[];
    do {
      again = false;
      come = [];
      waiting = come;
      // What a slow client has not read yet would be old.
      await outlet.drained();
      const picture = await look();
      if (outlet.closed) return;
      if (!picture) return outlet.end();
      const { row, json } = picture;
      told = row;
      progressAt = row.progress?.at ?? 0;
      ahead = false;
      outlet.say(frame({ id: String(row.order), type: 'job', data: json }));
      if (picture.end) return end(picture.end);
    } while (again);
    waiting = undefined;
    for (const event of come) tell(event);
  };
  /** Shows it anew, when the client has read what waits. */
  const show = (): void => {
    again = true;
    if (waiting) return;
    showAll().catch((err: unknown) => {
      // It comes back, and is shown then what is known then.
      warn(err);
      outlet.end();
    });
  };
  const listener: Listener = {
    view,
    take({ events }) {
      for (const event of events) {
        if (event.of !== 'job') continue;
        if (!waiting) tell(event);
        else if (waiting.length < MOST_WAITING) waiting.push(event);
        else again = true;
      }
    },
    miss: show,
  };

  return {
    job,
    begin() {
      outlet.onClose(hub.listen(listener));
      return showAll();
    },
    beat: () => outlet.say(HERE),
    compare(mark) {
      if (!told || waiting) return;
      const isOther =
        mark.state !== told.state || mark.priority !== told.priority || mark.dueAt !== told.dueAt;
      // An end is one whatever its position.
      const isAhead =
        mark.order > told.order || isTerminal(mark.state) || (mark.order === told.order && isOther);
      if (isAhead && ahead) show();
      ahead = isAhead;
    },
  };
}
