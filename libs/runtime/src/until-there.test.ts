import { expect, test } from 'vitest';
import { untilThere } from './until-there.ts';

const away = (code: string) => Object.assign(new Error('nobody listens'), { code });

function hearing() {
  const said: string[] = [];
  const say = (_: object, text?: string) => void said.push(String(text));
  return { said, log: { warn: say, info: say } };
}

test('a server that comes later is waited for, and that is told once', async () => {
  const { said, log } = hearing();
  const failures = [away('nats_unreachable'), away('database_unavailable'), away('jetstream_call_failed')];
  const connect = async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return 'there';
  };
  expect(await untilThere({ connect, log })).toBe('there');
  expect(said).toEqual([
    'cannot start yet: nobody listens; it is tried for another 60 s',
    'the start goes on',
  ]);
});

test('what would not pass is thrown at once, and one that never comes when the time is over', async () => {
  const { said, log } = hearing();
  let tries = 0;
  const failing = (code: string) => async () => {
    tries += 1;
    throw away(code);
  };
  await expect(untilThere({ connect: failing('nats_unfit'), log })).rejects.toMatchObject({
    code: 'nats_unfit',
  });
  expect([tries, said]).toEqual([1, []]);
  const never = untilThere({ connect: failing('nats_unreachable'), log, boundMs: 250 });
  await expect(never).rejects.toMatchObject({ code: 'nats_unreachable' });
  // How many fit in is the machine's affair.
  expect(tries).toBeGreaterThanOrEqual(2);
  expect(said).toHaveLength(1);
});

test('who is told to stop meanwhile tries no more', async () => {
  const stopping = new AbortController();
  let tries = 0;
  const connect = async () => {
    tries += 1;
    stopping.abort();
    throw away('nats_unreachable');
  };
  const waiting = untilThere({ connect, log: hearing().log, stopping: stopping.signal });
  await expect(waiting).rejects.toMatchObject({ code: 'nats_unreachable' });
  expect(tries).toBe(1);
});
