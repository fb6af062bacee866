import { expect, test } from 'vitest';
import { PullBook } from './pull-book.ts';

const pull = (batch: number, deadline = 1_000) => ({ batch, deadline });

test('pulls are done in their order, when no more is to come than the later ones asked for', () => {
  const book = new PullBook();
  book.add(1, pull(2));
  book.add(2, pull(1));
  expect(book.delivered()).toEqual([]);
  expect(book.delivered()).toEqual([{ id: 1, status: 'done', undelivered: 0 }]);
  expect([book.outstanding, book.size]).toEqual([1, 1]);
  expect(book.delivered()).toEqual([{ id: 2, status: 'done', undelivered: 0 }]);
  expect([book.outstanding, book.size]).toEqual([0, 0]);
  expect(book.ended(1, 'empty', 1)).toEqual([]);
});

test('the server answers open pulls in turns: what an early one did not bring, a later one has brought', () => {
  const book = new PullBook();
  book.add(1, pull(8));
  book.add(2, pull(1));
  for (let n = 0; n < 7; n++) book.delivered();
  expect(book.delivered()).toEqual([{ id: 1, status: 'done', undelivered: 0 }]);
  expect(book.outstanding).toBe(1);
  // Seven came for the first and one for the second, so nothing waits any more.
  expect(book.ended(1, 'empty', 1)).toEqual([{ id: 2, status: 'done', undelivered: 0 }]);
  expect([book.outstanding, book.size]).toEqual([0, 0]);
  book.add(3, pull(2));
  book.add(4, pull(1));
  book.delivered();
  book.delivered();
  // Once its time is over, a word of it comes from nowhere.
  expect(book.expire(2_000)).toEqual([{ id: 4, status: 'lost', undelivered: 1 }]);
  expect(book.ended(3, 'empty', 1)).toEqual([]);
});

test('a word that an early one did not bring all is as good without a number: nobody waits for what has come', () => {
  const book = new PullBook();
  book.add(1, pull(2));
  book.add(2, pull(1));
  book.delivered();
  expect(book.delivered()).toEqual([{ id: 1, status: 'done', undelivered: 0 }]);
  // One came for each; nats-server says no more than that there are no messages.
  expect(book.ended(1, 'empty')).toEqual([{ id: 2, status: 'done', undelivered: 0 }]);
  expect([book.outstanding, book.size]).toEqual([0, 0]);
  book.add(3, pull(1));
  book.add(4, pull(1));
  expect(book.delivered()).toEqual([{ id: 3, status: 'done', undelivered: 0 }]);
  // A batch that is completed has brought all.
  expect(book.ended(3, 'done')).toEqual([]);
  expect(book.outstanding).toBe(1);
});

test('pulls of which nothing is to come are all done at once', () => {
  const book = new PullBook();
  book.add(1, pull(10));
  book.add(2, pull(1));
  expect(book.delivered()).toEqual([]);
  // The message answered the later one, and the earlier one found nothing.
  expect(book.ended(1, 'empty')).toEqual([
    { id: 1, status: 'empty', undelivered: 10 },
    { id: 2, status: 'done', undelivered: 0 },
  ]);
  expect([book.outstanding, book.size]).toEqual([0, 0]);
});

test('a status ends one pull with what the server says is left, the last one with all that is left', () => {
  const book = new PullBook();
  book.add(1, pull(10));
  book.add(2, pull(10));
  for (let n = 0; n < 5; n++) book.delivered();
  expect(book.ended(1, 'expired', 7)).toEqual([{ id: 1, status: 'expired', undelivered: 7 }]);
  expect(book.outstanding).toBe(8);
  expect(book.ended(1, 'expired', 7)).toEqual([]);
  expect(book.ended(2, 'empty')).toEqual([{ id: 2, status: 'empty', undelivered: 8 }]);
  expect(book.outstanding).toBe(0);
});

test('what is overdue or lost ends, once', () => {
  const book = new PullBook();
  book.add(1, pull(3, 10));
  book.add(2, pull(4, 20));
  expect(book.expire(5)).toEqual([]);
  expect(book.expire(15)).toEqual([{ id: 1, status: 'lost', undelivered: 3 }]);
  expect(book.lose()).toEqual([{ id: 2, status: 'lost', undelivered: 4 }]);
  expect(book.lose()).toEqual([]);
  // A message that comes late anyway does no harm to the account.
  expect(book.delivered()).toEqual([]);
  expect(book.outstanding).toBe(0);
});
