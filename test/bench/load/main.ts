import { connect } from '@jetbeat/client';
import type { LoadAnswer, LoadCommand } from './command.ts';
import { enqueueDelayed } from './delayed.ts';
import { enqueueOneByOne } from './enqueue.ts';
import { enqueueAll } from './many.ts';
import { openLoop } from './open-loop.ts';
import { postJobs } from './post.ts';
import { readPaths } from './read.ts';
import { waitForResults } from './results.ts';
import { followStreams } from './streams.ts';

// A user's program: it holds a client, and does what its parent says, one command after the other.
const [servers] = process.argv.slice(2);
const client = await connect({ servers, name: 'bench load' });

function perform(command: LoadCommand): Promise<LoadAnswer> {
  switch (command.kind) {
    case 'enqueue':
      return enqueueOneByOne(client, command);
    case 'many':
      return enqueueAll(client, command);
    case 'delayed':
      return enqueueDelayed(client, command);
    case 'open-loop':
      return openLoop(client, command);
    case 'results':
      return waitForResults(client, command);
    case 'read':
      return readPaths(command);
    case 'streams':
      return followStreams(command);
    case 'post':
      return postJobs(command);
  }
}

process.on('message', (command: LoadCommand | 'close') => {
  if (command === 'close') {
    void client.close().then(() => process.disconnect());
    return;
  }
  perform(command).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
// Without a parent there is nobody to make load for.
process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
