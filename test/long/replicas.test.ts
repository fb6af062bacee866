import { expect, test } from 'vitest';
import { manyReplicas } from '../support/replicas.ts';

test('many replicas for two minutes', async () => {
  await expect(manyReplicas(120)).resolves.toBeUndefined();
}, 400_000);
