import { isApiError } from './manage.ts';

/** What `call` resolves with; undefined where the server answers with the error of this code: it is not there. */
export async function orUndefined<T>(call: () => Promise<T>, code: number): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isApiError(error, code)) return undefined;
    throw error;
  }
}
