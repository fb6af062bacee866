import { expect, test } from 'vitest';
import { isTracingOn } from './is-on.ts';

const there = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

test.each([
  [{}, false],
  [there, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
  [{ OTEL_TRACES_EXPORTER: 'console,otlp' }, true],
  [{ ...there, OTEL_TRACES_EXPORTER: 'none' }, false],
  [{ ...there, OTEL_TRACES_EXPORTER: ' ' }, true],
  [{ ...there, OTEL_SDK_DISABLED: 'true' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
])('%j: %s', (env, on) => {
  expect(isTracingOn(env)).toBe(on);
});
