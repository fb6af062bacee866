import { Compile } from 'typebox/compile';
import { type ApiConfig, apiSection } from './config-api.ts';
import { type CallbackSections, callbackSections } from './config-callbacks.ts';
import { ConfigError } from './config-error.ts';
import { readConfigFile } from './config-file.ts';
import { describeProblems } from './config-problems.ts';
import { type QueueConfig, queueLimits } from './config-queues.ts';
import { type FileConfig, FileSchema } from './config-schema.ts';
import { queuesOf, type SettingsSections, settingsSections } from './config-settings.ts';
import { type TaskSections, taskSections } from './task-sections.ts';
import { type Environment, readVariables } from './variables.ts';

/** The processes that read the configuration; `tool` is everything that is no app. */
export type AppName = 'api' | 'scheduler' | 'recorder' | 'worker' | 'tool';

/** The configuration of one process, whole: every default is filled in. */
export interface Config extends TaskSections, SettingsSections, CallbackSections {
  /** Name of the configuration file, for messages. */
  readonly file: string;
  readonly namespace?: string;
  /** `creds` and `ca` are paths of files. */
  readonly nats: { readonly url: string; readonly creds?: string; readonly ca?: string };
  /** Bytes. `limit`: of all files of JetStream, where it is known; `events`: of the stream EVENTS. */
  readonly storage: { readonly limit?: number; readonly events: number };
  readonly database: { readonly url: string };
  /** Milliseconds. `occurrences`: how long it is kept what became of the times of schedules; `audit`: who changed what. */
  readonly retention: { readonly occurrences: number; readonly audit: number };
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  readonly api: ApiConfig;
  readonly log: { readonly level: NonNullable<NonNullable<FileConfig['log']>['level']> };
  /** Milliseconds; the same in every app of an installation. */
  readonly ackWaitMs: number;
  readonly worker: {
    readonly queues: string[];
    readonly concurrency: number;
    readonly tasks: string[];
    /** Milliseconds that running jobs may take to end when the worker stops. */
    readonly drainMs: number;
  };
  /** Every queue that is known here: `default`, those of the file, those that jobs are sent to, those of the worker. */
  readonly queues: string[];
  /** What the file says of the queues that it names. */
  readonly queueLimits: ReadonlyMap<string, QueueConfig>;
  readonly http: { readonly allowHosts: string[]; readonly allowLoopback: boolean };
  readonly apiKey?: string;
  readonly traceUrl: string;
  /** Milliseconds; an attempt that takes longer is always traced. */
  readonly traceSlowMs: number;
  readonly embedded: { readonly natsServerBin?: string; readonly postgresBin?: string };
}

const HEALTH_PORTS: Readonly<Record<AppName, number>> = {
  api: 7420,
  scheduler: 7421,
  recorder: 7422,
  worker: 7423,
  tool: 0,
};
const SIZES = { MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;
/** With less, a few full batches would fill it. */
const EVENTS_MIN = SIZES.MiB;
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** JetStream's own least useful value, and the longest after which a lost worker may be noticed. */
const ACK_WAIT = { min: 500, max: 3_600_000 };

const MAX_DRAIN_MS = UNITS.d;

/**
 * Reads `jetbeat.yaml` (or the file named by `JETBEAT_CONFIG`) and the environment, which wins.
 * @param cwd the folder in which `jetbeat.yaml` is looked for
 * @throws ConfigError with one line for every unknown name or key (and the nearest known one) and every wrong value
 */
export function loadConfig(params: { env: Environment; app: AppName; cwd?: string }): Config {
  const { env, app, cwd = process.cwd() } = params;
  const file = readConfigFile(cwd, env.JETBEAT_CONFIG);
  const variables = readVariables(env);
  const merged = structuredClone(file.content) as Record<string, unknown>;
  for (const { path, value } of variables) assign(merged, path.split('.'), value);
  const validator = Compile(FileSchema);
  if (!validator.Check(merged)) {
    const names = new Map(variables.map(({ path, name }) => [`/${path.replaceAll('.', '/')}`, name]));
    throw new ConfigError(
      describeProblems({ errors: validator.Errors(merged), file: file.name, names, value: merged }),
    );
  }
  return complete(merged, { app, env, name: file.name });
}

function complete(
  file: FileConfig,
  { app, env, name }: { app: AppName; env: Environment; name: string },
): Config {
  const ackWaitMs = milliseconds(file.ackWait ?? '30s');
  if (ackWaitMs < ACK_WAIT.min || ackWaitMs > ACK_WAIT.max) {
    throw new ConfigError([
      `ackWait (JETBEAT_ACK_WAIT) must be from 500ms to 1h, not ${JSON.stringify(file.ackWait)}`,
    ]);
  }
  const queues = file.worker?.queues ?? ['default'];
  const settings = settingsSections(file);
  return {
    file: name,
    settings,
    ...(file.namespace === undefined ? {} : { namespace: file.namespace }),
    nats: { url: 'nats://127.0.0.1:7432', ...file.nats },
    storage: storageOf(file.storage),
    database: { url: 'postgres://jetbeat@127.0.0.1:7442/jetbeat', ...file.database },
    retention: retentionOf(file.retention),
    host: file.host ?? '127.0.0.1',
    port: file.port ?? 7420,
    healthPort: file.healthPort ?? HEALTH_PORTS[app],
    api: apiSection(file.api, milliseconds),
    log: { level: file.log?.level ?? 'info' },
    ackWaitMs,
    worker: {
      queues,
      concurrency: file.worker?.concurrency ?? 10,
      tasks: file.worker?.tasks ?? [],
      drainMs: drainOf(file.worker),
    },
    queues: [...new Set(['default', ...Object.keys(file.queues ?? {}), ...queuesOf(settings), ...queues])],
    queueLimits: queueLimits(file.queues, milliseconds),
    http: { allowHosts: file.http?.allowHosts ?? [], allowLoopback: file.http?.allowLoopback ?? false },
    ...taskSections({ file, env, milliseconds }),
    ...callbackSections(file, milliseconds),
    ...(file.apiKey === undefined ? {} : { apiKey: file.apiKey }),
    traceUrl: file.traceUrl ?? 'http://localhost:16686/trace/{traceId}',
    traceSlowMs: milliseconds(file.traceSlow ?? '10s'),
    embedded: { ...file.embedded },
  };
}

function drainOf({ drain = '3s' }: FileConfig['worker'] = {}): number {
  const drainMs = milliseconds(drain);
  if (drainMs <= MAX_DRAIN_MS) return drainMs;
  throw new ConfigError([`worker.drain (JETBEAT_DRAIN) must be at most 1d, not ${JSON.stringify(drain)}`]);
}

function retentionOf({
  occurrences = '90d',
  audit = '400d',
}: FileConfig['retention'] = {}): Config['retention'] {
  return { occurrences: milliseconds(occurrences), audit: milliseconds(audit) };
}

function storageOf(section: FileConfig['storage']): Config['storage'] {
  const text = section?.events ?? '1GiB';
  const events = bytes(text);
  const limit = section?.limit === undefined ? undefined : bytes(section.limit);
  if (events >= EVENTS_MIN && events < (limit ?? Number.POSITIVE_INFINITY))
    return { events, ...(limit === undefined ? {} : { limit }) };
  throw new ConfigError([
    `storage.events (JETBEAT_STORAGE_EVENTS) must be at least 1MiB and less than storage.limit, not ${JSON.stringify(text)}`,
  ]);
}

/** The schema has checked the form. */
function bytes(size: string): number {
  const unit = size.replace(/^[\d.]+/, '') as keyof typeof SIZES;
  return Math.round(Number.parseFloat(size) * SIZES[unit]);
}

/** The schema has checked the form. */
function milliseconds(duration: string): number {
  const unit = duration.replace(/^[\d.]+/, '') as keyof typeof UNITS;
  return Math.round(Number.parseFloat(duration) * UNITS[unit]);
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = target[key];
  // A section that is no mapping is left for the schema to name.
  if (inner !== undefined && (typeof inner !== 'object' || inner === null)) return;
  const section = (inner ?? {}) as Record<string, unknown>;
  target[key] = section;
  assign(section, rest, value);
}
