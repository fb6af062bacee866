import { defineTask } from '@jetbeat/task';

/** `system.echo`: returns its input. It shows that a queue is served. */
export const echo = defineTask({ name: 'system.echo', run: (input) => input });
