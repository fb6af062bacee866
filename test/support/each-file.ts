import { afterAll } from 'vitest';
import { endWithRun } from './end-with-run.ts';
import { removeNamespaces } from './namespaces.ts';

// What holds for every test file: it leaves nothing running and nothing on the servers of the run.
endWithRun();
afterAll(removeNamespaces);
