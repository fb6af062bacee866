import { type Api, callApi } from './api-call.ts';

/**
 * A link that lets the first browser which follows it in, within ten minutes, with all rights of the key. Only whoever sees this terminal
 * has it: others on this machine are not let in by coming from here. Undefined where the API is for other machines too, or makes none.
 */
export async function signInLink(params: Api & { signal: AbortSignal }): Promise<string | undefined> {
  const asked = { ...params, method: 'POST', path: '/api/v1/session/links', body: {} } as const;
  const answer = await callApi(asked).catch(() => undefined);
  const { url } = (answer?.body ?? {}) as { url?: unknown };
  return typeof url === 'string' && url.startsWith(`${params.base}/`) ? url : undefined;
}
