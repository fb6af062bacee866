import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';

const read = (env: Record<string, string>) =>
  loadConfig({ env, app: 'api', cwd: import.meta.dirname }).api.sessions;
const HOUR = 3_600_000;

test('a working day without a request, a week in any case', () => {
  expect(read({})).toEqual({ idleMs: 8 * HOUR, absoluteMs: 7 * 24 * HOUR });
});

test('both can come from the environment; whoever makes the week shorter than the day means both', () => {
  expect(read({ JETBEAT_SESSIONS_IDLE: '30m', JETBEAT_SESSIONS_ABSOLUTE: '12h' })).toEqual({
    idleMs: HOUR / 2,
    absoluteMs: 12 * HOUR,
  });
  expect(read({ JETBEAT_SESSIONS_ABSOLUTE: '1h' })).toEqual({ idleMs: HOUR, absoluteMs: HOUR });
});

test.each([
  [{ JETBEAT_SESSIONS_IDLE: '4m' }, /api\.sessions\.idle \(JETBEAT_SESSIONS_IDLE\): "4m" is not between/],
  [{ JETBEAT_SESSIONS_ABSOLUTE: '91d' }, /api\.sessions\.absolute .*"91d" is not between 5m and 90d/],
  [{ JETBEAT_SESSIONS_IDLE: '8d' }, /"8d" is longer than api\.sessions\.absolute, 7d/],
  [{ JETBEAT_SESSIONS_IDLE: 'long' }, /JETBEAT_SESSIONS_IDLE/],
  [{ JETBEAT_SESSION_IDLE: '8h' }, /did you mean JETBEAT_SESSIONS_IDLE/],
])('%j is refused', (env, message) => {
  expect(() => read(env)).toThrow(message);
});
