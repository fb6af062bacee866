import { expect, test } from 'vitest';
import { manyReplicas } from '../support/replicas.ts';

test('many replicas, a scheduler killed in between: every nominal time once, every job once', async () => {
  await expect(manyReplicas(30)).resolves.toBeUndefined();
}, 180_000);
