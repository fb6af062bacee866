import type { Found, Row } from '../row.ts';
import { draining } from './drain.ts';
import { enqueueing } from './enqueue.ts';

/** What three nodes that hold everything three times cost, all on this machine. */
export const r3: Row = {
  name: 'r3',
  what: 'three nats-servers on this machine, three replicas, against one node: `enqueueMany` and drain',
  measures: [
    { name: 'enqueue ratio', unit: 'ratio', better: 'more', goal: 0.4 },
    { name: 'drain ratio', unit: 'ratio', better: 'more', goal: 0.4 },
    { name: 'enqueue R3', unit: 'jobs/s', better: 'more' },
    { name: 'drain R3', unit: 'jobs/s', better: 'more' },
    { name: 'enqueue R1', unit: 'jobs/s', better: 'more' },
    { name: 'drain R1', unit: 'jobs/s', better: 'more' },
  ],
  async run(open) {
    const count = 100_000;
    const command = (jobs: number) => ({ kind: 'many', count: jobs }) as const;
    const enqueue1 = await open((stage) => enqueueing(stage, { count, command }));
    const drain1 = await open((stage) => draining(stage, { count, recorder: false }));
    const enqueue3 = await open(
      (stage) => enqueueing(stage, { count, command, prepare: () => stage.streams.replicate(3) }),
      { nodes: 3 },
    );
    const drain3 = await open(
      (stage) => draining(stage, { count, recorder: false, prepare: () => stage.streams.replicate(3) }),
      { nodes: 3 },
    );
    const rate = ({ figures }: Found) => figures['rate'] ?? Number.NaN;
    const parts = { 'enqueue R1': enqueue1, 'drain R1': drain1, 'enqueue R3': enqueue3, 'drain R3': drain3 };
    const all = Object.entries(parts);
    return {
      seconds: all.reduce((sum, [, { seconds }]) => sum + seconds, 0),
      figures: {
        'enqueue ratio': rate(enqueue3) / rate(enqueue1),
        'drain ratio': rate(drain3) / rate(drain1),
        ...Object.fromEntries(all.map(([name, found]) => [name, rate(found)])),
      },
      counts: all.flatMap(([name, { counts }]) =>
        counts.map((count) => ({ ...count, what: `${name}: ${count.what}` })),
      ),
      processes: all.flatMap(([part, { processes }]) =>
        processes.map((each) => ({ ...each, name: `${part}: ${each.name}` })),
      ),
    };
  },
};
