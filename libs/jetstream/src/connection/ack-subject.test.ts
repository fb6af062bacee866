import { expect, test } from 'vitest';
import { parseAckSubject } from './ack-subject.ts';

const facts = {
  consumer: 'default_high',
  deliveryCount: 2,
  seq: 17,
  consumerSeq: 9,
};
const tail = 'JOBS.default_high.2.17.9.1700000000123456789.4';

test('both forms of the acknowledgement subject are read', () => {
  expect(parseAckSubject(`$JS.ACK.${tail}`)).toEqual(facts);
  expect(parseAckSubject(`$JS.ACK._.ACCHASH.${tail}`)).toEqual(facts);
  expect(parseAckSubject(`$JS.ACK.hub.ACCHASH.${tail}.random`)).toEqual(facts);
});

test('anything else is not', () => {
  expect(parseAckSubject('')).toBeUndefined();
  expect(parseAckSubject('_INBOX.a.b.c.d.e.f.g.h')).toBeUndefined();
  expect(parseAckSubject('$JS.ACK.JOBS.c.1.2.3')).toBeUndefined();
  expect(parseAckSubject('$JS.ACK.JOBS.c.x.17.9.1700000000123456789.4')).toBeUndefined();
});
