import { runApp } from '@jetbeat/runtime';
import { start } from './index.ts';

await runApp({ app: 'scheduler', start });
