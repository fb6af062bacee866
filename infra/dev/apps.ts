import { join } from 'node:path';
import { defaultMaxFile } from './nats-server.ts';
import type { StartOptions } from './options.ts';

/** One app: a process of its own. `env` is its whole environment. */
export interface AppSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  ports: readonly number[];
  /** How long it may take to end when it is asked to, in milliseconds. Default 6.5 s. */
  stopMs?: number;
}

/** Where the servers are. */
export interface ServerUrls {
  nats: string;
  database: string;
}

/** What the apps are told besides. */
export interface AppSpecsParams {
  root: string;
  options: StartOptions;
  urls: ServerUrls;
  keyFile: string;
  settings: string;
  env: NodeJS.ProcessEnv;
  /** How long the worker waits for its jobs when it is told to stop, in milliseconds. */
  drainMs: number;
}

/** What an app needs to stop beside a worker's wait for its jobs, in milliseconds. */
const stopMs = 3500;

/** The variable in which the bootstrap tells when it began, in milliseconds since 1970; not for the apps. */
export const startBegun = 'START_BEGUN';

// What a user's shell may hold for servers elsewhere; the embedded ones take its place.
const replaced = [
  startBegun,
  'JETBEAT_NATS_URL_FILE',
  'JETBEAT_NATS_CREDS',
  'JETBEAT_NATS_CA',
  'JETBEAT_DATABASE_URL_FILE',
  'JETBEAT_API_KEY',
  'JETBEAT_API_KEY_FILE',
  'JETBEAT_HEALTH_PORT',
];

/** The four apps of the embedded stack. */
export function appSpecs(params: AppSpecsParams): AppSpec[] {
  const { root, options, urls } = params;
  const shared: NodeJS.ProcessEnv = { ...params.env };
  for (const name of replaced) delete shared[name];
  Object.assign(shared, {
    JETBEAT_NATS_URL: urls.nats,
    JETBEAT_DATABASE_URL: urls.database,
    JETBEAT_HOST: '127.0.0.1',
    JETBEAT_PORT: String(options.apiPort),
    JETBEAT_STORAGE_LIMIT: `${defaultMaxFile / 1024 ** 2}MiB`,
    JETBEAT_CONFIG: params.env['JETBEAT_CONFIG'] ?? params.settings,
  });
  const app = (name: string, ports: readonly number[], extra: NodeJS.ProcessEnv): AppSpec => ({
    name,
    command: process.execPath,
    args: [join(root, 'apps', name, 'src', 'main.ts')],
    env: { ...shared, ...extra },
    ports,
  });
  const health = (port: number) => ({ JETBEAT_HEALTH_PORT: String(port) });
  const first = options.healthPort;
  const tasks = [
    params.env['JETBEAT_TASKS'],
    ...(options.demo ? [join(root, 'infra/dev/demo/tasks.ts')] : []),
  ];
  const given = tasks.filter((path) => path !== undefined && path !== '').join(',');
  return [
    app('api', [options.apiPort], { JETBEAT_API_KEY_FILE: params.keyFile }),
    app('scheduler', [first], health(first)),
    app('recorder', [first + 1], health(first + 1)),
    {
      ...app('worker', [first + 2], {
        ...health(first + 2),
        ...(given === '' ? {} : { JETBEAT_TASKS: given }),
      }),
      stopMs: stopMs + params.drainMs,
    },
  ];
}
