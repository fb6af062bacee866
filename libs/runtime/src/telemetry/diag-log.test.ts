import { expect, test } from 'vitest';
import { createDiagLog } from './diag-log.ts';

test('each line once, an export error by its message', () => {
  const lines: unknown[] = [];
  const keep = (fields: object) => lines.push((fields as { detail?: string }).detail);
  const log = createDiagLog({ warn: keep as never, debug: () => {} });
  const refused = JSON.stringify({ stack: 'Error: …', message: 'connect ECONNREFUSED', name: 'Error' });
  log.error(refused);
  log.error(refused);
  log.warn('Dropped 1 spans');
  log.warn('Dropped 22 spans');
  log.info('quiet');
  expect(lines).toEqual(['Error: connect ECONNREFUSED', 'Dropped 1 spans']);
});
