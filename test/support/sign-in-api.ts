import type { AuditChange } from '@jetbeat/core/http';
import { Client } from 'pg';
import { startTestApi, type TestApi } from './api.ts';
import { type Browser, signedIn } from './page.ts';

/** An API at which browsers sign in as often as they like, and its database. */
export interface SignInApi {
  readonly api: TestApi;
  readonly sql: Client;
  stop(): Promise<void>;
}

/** Starts one. */
export async function startSignInApi(): Promise<SignInApi> {
  const api = await startTestApi({ yaml: 'api: {rateLimits: {failures: null}}\n' });
  const sql = new Client({ connectionString: api.databaseUrl });
  await sql.connect();
  return {
    api,
    sql,
    async stop() {
      await sql.end();
      await api.stop();
    },
  };
}

/** What tests ask of it. */
export interface SignInSteps {
  /** A browser that has signed in, by default with the first key. */
  signIn(key?: string): Promise<Browser & { readonly id: string }>;
  /** Of its address: it is part of the name of the cookie. */
  port(): string;
  /** What the audit holds of a session, newest first. */
  audited(session: string): Promise<AuditChange[]>;
}

/** @param api is asked with each call: a test has it only once it runs */
export function signInSteps(api: () => TestApi): SignInSteps {
  return {
    signIn: (key = api().key) => signedIn(api().http.url, key),
    port: () => new URL(api().http.url).port,
    async audited(session) {
      const path = `/audit?target=session:${session}`;
      return (await api().http.call<{ items: AuditChange[] }>('GET', path)).body.items;
    },
  };
}
