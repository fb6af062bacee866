import { expect, onTestFinished, test } from 'vitest';
import { processResource } from './process-resource.ts';

test('traces and metrics of a process are of the same instance; the environment has the last word', () => {
  const first = processResource('worker').attributes;
  expect(first).toMatchObject({ 'service.name': 'jetbeat-worker', 'process.pid': process.pid });
  expect(first['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(processResource('worker').attributes).toEqual(first);
  process.env['OTEL_SERVICE_NAME'] = 'mine';
  onTestFinished(() => {
    delete process.env['OTEL_SERVICE_NAME'];
  });
  expect(processResource('worker').attributes['service.name']).toBe('mine');
});
