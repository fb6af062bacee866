import { expect, test } from 'vitest';
import { createDiagLog, exportAddress } from './diag-log.ts';

test('each line once, an export error by its message', () => {
  const lines: unknown[] = [];
  const keep = (fields: object) => lines.push((fields as { detail?: string }).detail);
  const log = createDiagLog({ warn: keep as never, debug: () => {} }, 'http://collector:4318');
  const refused = JSON.stringify({ stack: 'Error: …', message: 'connect ECONNREFUSED', name: 'Error' });
  log.error(refused);
  log.error(refused);
  log.warn('Dropped 1 spans');
  log.warn('Dropped 22 spans');
  log.info('quiet');
  expect(lines).toEqual(['Error: connect ECONNREFUSED', 'Dropped 1 spans']);
});

test('where to: the address, and the variable that it comes from', () => {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  expect(exportAddress(all, 'TRACES')).toBe('http://collector:4318 (OTEL_EXPORTER_OTLP_ENDPOINT)');
  const own = { ...all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/v1/traces' };
  expect(exportAddress(own, 'TRACES')).toBe(
    'http://traces:4318/v1/traces (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)',
  );
  expect(exportAddress({}, 'METRICS')).toContain('OTEL_EXPORTER_OTLP_ENDPOINT is not set');
});
