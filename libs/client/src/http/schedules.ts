import type {
  Backfill,
  BackfillRequest,
  Forecast,
  ForecastQuery,
  OccurrencePage,
  OccurrenceQuery,
  PauseRequest,
  PreviewAnswer,
  PreviewRequest,
  Schedule,
  ScheduleQuery,
  ScheduleRequest,
  Triggered,
  TriggerRequest,
  Warning,
} from '@jetbeat/core/http';
import type { Call } from './call.ts';

/** A page of schedules. */
export interface SchedulePage {
  readonly items: Schedule[];
  readonly nextCursor: string | null;
}

/** With which version a change counts: another one in between, and it is refused as `stale`. */
export interface IfVersion {
  readonly version?: number;
}

/** With which key a request counts: repeated with it, it is done once. */
export interface WithKey {
  readonly key?: string;
}

/** Control over schedules. Every call throws ApiProblemError for what the API refuses, ApiUnreachableError where it does not answer. */
export interface Schedules {
  create(schedule: ScheduleRequest): Promise<Schedule>;
  /** All of them or none, at most 1,000. */
  createMany(schedules: readonly ScheduleRequest[]): Promise<{ created: number; warnings: Warning[] }>;
  get(name: string): Promise<Schedule>;
  list(query?: ScheduleQuery): Promise<SchedulePage>;
  /** One page after the other. */
  all(query?: Omit<ScheduleQuery, 'cursor'>): AsyncIterable<Schedule>;
  /** Makes it, or makes it what is said; said again, nothing changes. */
  put(schedule: ScheduleRequest, options?: IfVersion): Promise<Schedule>;
  /** Changes what the merge patch (RFC 7396) names. */
  patch(name: string, patch: object, options?: IfVersion): Promise<Schedule>;
  delete(name: string, options?: IfVersion): Promise<void>;
  pause(name: string, pause?: PauseRequest): Promise<Schedule>;
  resume(name: string): Promise<Schedule>;
  trigger(name: string, run?: TriggerRequest, options?: WithKey): Promise<Triggered>;
  backfill(name: string, range: BackfillRequest, options?: WithKey): Promise<Backfill>;
  occurrences(name: string, query?: OccurrenceQuery): Promise<OccurrencePage>;
  next(name: string, query?: { readonly count?: number }): Promise<PreviewAnswer>;
  preview(rule: PreviewRequest): Promise<PreviewAnswer>;
  forecast(query?: ForecastQuery): Promise<Forecast>;
}

/** Makes the calls about schedules. */
export function createSchedules(call: Call): Schedules {
  const list = (query: ScheduleQuery = {}) =>
    call<SchedulePage>({ method: 'GET', path: '/schedules', query });
  const verb = <Answer>(name: string, what: string, body: object, headers = {}) =>
    call<Answer>({ method: 'POST', path: `${pathOf(name)}/${what}`, body, headers });
  return {
    create: (body) => call({ method: 'POST', path: '/schedules', body }),
    createMany: (schedules) => call({ method: 'POST', path: '/schedules/batch', body: { schedules } }),
    get: (name) => call({ method: 'GET', path: pathOf(name) }),
    list,
    async *all(query = {}) {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page: SchedulePage = await list(cursor === undefined ? query : { ...query, cursor });
        yield* page.items;
        cursor = page.nextCursor;
      }
    },
    put: (body, options) => call({ method: 'PUT', path: pathOf(body.name), body, headers: ifMatch(options) }),
    patch: (name, body, options) =>
      call({ method: 'PATCH', path: pathOf(name), body, headers: ifMatch(options) }),
    delete: (name, options) => call({ method: 'DELETE', path: pathOf(name), headers: ifMatch(options) }),
    pause: (name, body = {}) => verb(name, 'pause', body),
    resume: (name) => verb(name, 'resume', {}),
    trigger: (name, body = {}, options) => verb(name, 'trigger', body, keyed(options)),
    backfill: (name, body, options) => verb(name, 'backfill', body, keyed(options)),
    occurrences: (name, query = {}) => call({ method: 'GET', path: `${pathOf(name)}/occurrences`, query }),
    next: (name, query = {}) => call({ method: 'GET', path: `${pathOf(name)}/next`, query }),
    preview: (body) => call({ method: 'POST', path: '/schedules/preview', body }),
    forecast: (query = {}) => call({ method: 'GET', path: '/forecast', query }),
  };
}

function pathOf(name: string): string {
  return `/schedules/${encodeURIComponent(name)}`;
}

function ifMatch({ version }: IfVersion = {}): Record<string, string> {
  return version === undefined ? {} : { 'if-match': `"${version}"` };
}

function keyed({ key }: WithKey = {}): Record<string, string> {
  return key === undefined ? {} : { 'idempotency-key': key };
}
