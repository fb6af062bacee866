import { expect, test } from 'vitest';
import { createRoom } from './room.ts';

const full = 'JetStream is full';

test('the first question waits for the first word, and no later one makes a promise', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const storage: {
    begun: Promise<void>;
    refusal: string | undefined;
    queueRefusal: () => undefined;
    room: () => Promise<void>;
  } = {
    begun,
    refusal: undefined,
    queueRefusal: () => undefined,
    room: async () => {},
  };
  const room = createRoom(storage);
  const first = room.refusal();
  storage.refusal = full;
  begin();
  expect(await first).toMatchObject({ code: 'storage_full', message: full });
  expect(room.refusal()).toMatchObject({ code: 'storage_full' });
  storage.refusal = undefined;
  expect(room.refusal()).toBeUndefined();
  expect(room.refusal(1_000)).toBeUndefined();
});

test('whoever has time waits for room, and is refused when there is none in time', async () => {
  const waits: number[] = [];
  let refusal: string | undefined = full;
  let inTime = true;
  const room = createRoom({
    begun: Promise.resolve(),
    get refusal() {
      return refusal;
    },
    queueRefusal: () => undefined,
    room: async (waitMs) => {
      waits.push(waitMs);
      if (inTime) refusal = undefined;
    },
  });
  expect(await room.refusal(30_000)).toBeUndefined();
  inTime = false;
  refusal = full;
  expect(await room.refusal(20_000)).toMatchObject({ code: 'storage_full' });
  expect(waits).toEqual([30_000, 20_000]);
});
