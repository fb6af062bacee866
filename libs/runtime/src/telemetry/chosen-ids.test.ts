import { context } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { ChosenIds } from './chosen-ids.ts';

test('span ids are sixteen digits each, and all different', () => {
  const ids = new ChosenIds();
  const made = Array.from({ length: 2_000 }, () => ids.generateSpanId());
  expect(new Set(made).size).toBe(made.length);
  for (const id of made) expect(id).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
});

test('a trace that nobody chose has an id of its own', () => {
  const ids = new ChosenIds();
  expect(ids.generateTraceId()).toMatch(/^[0-9a-f]{32}$/);
  expect(context.active()).toBeDefined();
});
