import { randomBytes } from 'node:crypto';
import { type AppName, type AppProcess, startApp, startOnFreePort } from './app-process.ts';
import { createTestDatabase } from './database.ts';
import { createHttp, type Http } from './http.ts';
import { natsUrl, testNamespace } from './nats.ts';
import { ownPort } from './ports.ts';

/** Apps as processes of their own, on the servers of the test run, with a namespace and a database to themselves. */
export interface AppGroup {
  readonly http: Http;
  readonly namespace: string;
  readonly apiKey: string;
  readonly databaseUrl: string;
  start(name: AppName, env?: Readonly<Record<string, string>>): Promise<AppProcess>;
  /** One more API, at an address of its own. */
  startApiBeside(): Promise<{ readonly app: AppProcess; readonly http: Http }>;
  stop(): Promise<void>;
}

/** @param env for every app of the group */
export async function startAppGroup(env: Readonly<Record<string, string>> = {}): Promise<AppGroup> {
  const database = await createTestDatabase();
  const apiPort = await ownPort();
  const apiKey = `jb_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  const namespace = testNamespace();
  const shared = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_NAMESPACE: namespace,
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_HOST: '127.0.0.1',
    JETBEAT_API_KEY: apiKey,
    JETBEAT_STORAGE_EVENTS: '32MiB',
    ...env,
  };
  const apps = new Set<AppProcess>();
  return {
    namespace,
    apiKey,
    databaseUrl: database.url,
    http: createHttp({ url: `http://127.0.0.1:${apiPort}`, apiKey }),
    async start(name, own = {}) {
      const begin = (healthPort: number) => {
        const app = startApp({ name, healthPort, env: { ...shared, ...own } });
        apps.add(app);
        void app.exited.then(() => apps.delete(app));
        return app;
      };
      if (name !== 'api') return startOnFreePort(begin);
      const api = begin(apiPort);
      await api.ready(60_000);
      return api;
    },
    async startApiBeside() {
      const app = await startOnFreePort((port) => {
        const begun = startApp({ name: 'api', healthPort: port, env: shared });
        apps.add(begun);
        void begun.exited.then(() => apps.delete(begun));
        return begun;
      });
      return { app, http: createHttp({ url: app.healthUrl, apiKey }) };
    },
    async stop() {
      await Promise.all([...apps].map((app) => app.stop()));
      await database.drop();
    },
  };
}
