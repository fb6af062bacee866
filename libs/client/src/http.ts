import { createCall, type HttpOptions } from './http/call.ts';
import { createEvents, type Events } from './http/events.ts';
import { createSchedules, type Schedules } from './http/schedules.ts';

export type { HttpOptions } from './http/call.ts';
export type { Events, Followed, FollowOptions } from './http/events.ts';
export { ApiProblemError, ApiUnreachableError } from './http/problem-error.ts';
export type { IfVersion, SchedulePage, Schedules, WithKey } from './http/schedules.ts';

/** What a program steers Jetbeat with, over HTTP alone; it holds no connection. */
export interface HttpClient {
  readonly schedules: Schedules;
  readonly events: Events;
}

/** Makes a client of the API. It loads nothing of NATS, and runs in browsers too. */
export function connectHttp(options: HttpOptions): HttpClient {
  return { schedules: createSchedules(createCall(options)), events: createEvents(options) };
}
