import { putTaskSettings, watchTaskSettings } from '@jetbeat/jetstream';
import { changeTaskLimits } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench } from '../../../../test/support/recorder.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';

const rate = { limit: 5, periodMs: 60_000, per: 'task' } as const;

test('the recorder tells what PostgreSQL says of tasks, also what was told wrong, or by nobody', async () => {
  const { bus, db, start } = await createRecorderBench();
  await start({ times: { queuesEveryMs: 100 } });
  const heard: [string, number | undefined][] = [];
  const watching = watchTaskSettings(bus);
  watching.onChange((task, settings) => heard.push([task, settings?.version]));
  await watching.load();
  const name = 'mail.daily.send';
  await changeTaskLimits(db, { name, now: Date.now(), change: () => ({ rate }) });
  await waitUntil('it is told', () => watching.of(name)?.rate !== undefined);
  expect(watching.of(name)).toEqual({ version: 1, rate });
  await putTaskSettings(bus, name, { version: 99 });
  await waitUntil('what is wrong is heard, and what is told again', () => heard.length >= 3);
  expect(heard).toEqual([
    [name, 1],
    [name, 99],
    [name, 1],
  ]);
  expect([...watching.all()]).toEqual([[name, { version: 1, rate }]]);
  watching.close();
}, 30_000);
