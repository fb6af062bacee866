import { isDeepStrictEqual } from 'node:util';
import { connectHttp } from '@jetbeat/client/http';
import type { LiveJobEvent } from '@jetbeat/core/http';
import { getJob, revokeApiKey } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { startApp } from '../support/app-process.ts';
import { following } from '../support/follow.ts';
import { createHttp } from '../support/http.ts';
import { createLiveBench } from '../support/live.ts';
import { startOwnNats } from '../support/nats.ts';
import { ownPort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { newJob, settledEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const jobOf = (data: unknown) => (data as LiveJobEvent).job.id;

test('open streams outlive a killed nats-server and miss nothing; another store of events is a gap', async () => {
  const nats = await startOwnNats();
  try {
    const bench = await createLiveBench({ nats: nats.url });
    const client = (await bench.api()).client();
    const stream = await following((options) => client.events.follow({}, options));
    const publish = async () => {
      const job = newJob();
      await bench.events.publish(settledEvent(job));
      return job.id;
    };
    const wanted = [await publish()];
    await stream.atLeast(1);
    await nats.kill();
    const during = [publish(), publish()];
    await nats.start();
    wanted.push(...(await Promise.all(during)), await publish());
    await stream.atLeast(4);
    expect(stream.events.map(({ data }) => jobOf(data)).toSorted()).toEqual(wanted.toSorted());

    await nats.kill();
    await nats.start({ wiped: true });
    const gap = await stream.first(({ type }) => type === 'gap');
    expect(gap.data).toMatchObject({ reason: 'restarted' });
    const last = await publish();
    await stream.first(({ type, data }) => type === 'job.succeeded' && jobOf(data) === last);
    expect(stream.events).toHaveLength(6);
    expect(stream.opened).toBe(1);
    await bench.stop();
  } finally {
    await nats.stop();
  }
}, 60_000);

test('when its API is killed a client goes on at another one, with nothing missed and nothing twice', async () => {
  const bench = await createLiveBench();
  const port = await ownPort();
  const killed = startApp({ name: 'api', env: bench.env, healthPort: port });
  try {
    const [other] = await Promise.all([bench.api(), killed.ready()]);
    // As a load balancer does it: to the one that is there.
    let dead = false;
    const here = `http://127.0.0.1:${port}`;
    const balanced: typeof fetch = (url, init) =>
      fetch(dead ? String(url).replace(here, other.url) : url, init);
    const client = connectHttp({ url: here, apiKey: bench.adminKey, fetch: balanced });
    const stream = await following((options) => client.events.follow({}, options));
    const jobs = Array.from({ length: 400 }, () => newJob());
    const [first, second] = [jobs.slice(0, 200), jobs.slice(200)];
    await Promise.all(first.map((job) => bench.events.publish(settledEvent(job))));
    await stream.atLeast(50);
    dead = true;
    await Promise.all([killed.kill(), ...second.map((job) => bench.events.publish(settledEvent(job)))]);
    await stream.atLeast(400);
    expect(stream.opened).toBe(2);
    const told = stream.events.map(({ data }) => jobOf(data));
    expect(told.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  } finally {
    await killed.kill();
  }
}, 60_000);

test('when the API that takes jobs is killed, each that it had committed is told of once', async () => {
  const bench = await createLiveBench();
  await bench.start({ times: { unpublishedAfterMs: 500, reconcileEveryMs: 100 } });
  const watching = await bench.api();
  const stream = await following((options) => watching.client().events.follow({ queue: ['kill'] }, options));
  const here = createHttp({ url: watching.url, apiKey: bench.adminKey });
  const committed = async () => {
    const { body } = await here.call<{ items: { id: string }[] }>('GET', '/jobs?queue=kill&limit=200');
    return body.items.map(({ id }) => id).toSorted();
  };
  const port = await ownPort();
  const killed = startApp({ name: 'api', env: bench.env, healthPort: port });
  try {
    await killed.ready();
    const { call } = createHttp({ url: `http://127.0.0.1:${port}`, apiKey: bench.adminKey });
    let accepted = 0;
    const post = async (): Promise<void> => {
      const answer = await call('POST', '/jobs', { task: 'system.echo', input: 1, queue: 'kill' }).catch(
        () => undefined,
      );
      if (answer?.status !== 202) return;
      accepted += 1;
      // In the middle of its work.
      if (accepted === 50) await killed.kill();
      await post();
    };
    await Promise.all(Array.from({ length: 16 }, post));
  } finally {
    await killed.kill();
  }
  await waitUntil('all are noted', async () => {
    const jobs = await Promise.all((await committed()).map((id) => getJob(bench.db, id)));
    return jobs.every((job) => job?.published);
  });
  // What would be told twice comes before this.
  const last = await here.post({ task: 'system.echo', input: 0, queue: 'kill' });
  await stream.first(({ data }) => jobOf(data) === last);
  // What it had begun in PostgreSQL may still be committed there after its death.
  await expect
    .poll(async () => {
      const ids = await committed();
      return { ids, told: stream.events.map(({ data }) => jobOf(data)).toSorted() };
    })
    .toSatisfy(({ ids, told }) => isDeepStrictEqual(ids, told));
}, 60_000);

test('while the API cannot ask whether keys still hold, nobody is told anything; then only who still may', async () => {
  const bench = await createLiveBench();
  const way = await startProxy(bench.postgresPort);
  try {
    const api = await bench.api({ postgresPort: way.port });
    const revoked = await bench.key({});
    const open = (key: string) =>
      following((options) => connectHttp({ url: api.url, apiKey: key }).events.follow({}, options));
    const [stays, goes] = [await open(bench.adminKey), await open(revoked)];
    const [before, during] = [newJob(), newJob()];
    await bench.events.publish(settledEvent(before));
    await Promise.all([stays.atLeast(1), goes.atLeast(1)]);
    const silentAt = Date.now();
    way.mute();
    await revokeApiKey(bench.db, { id: revoked.split('_')[1] ?? '', by: 'test' });
    // What was asked before still holds for less than a second.
    await waitUntil('it holds no more', () => Date.now() - silentAt > 1_000);
    await bench.events.publish(settledEvent(during));
    await waitUntil('it is recorded', () => getJob(bench.db, during.id));
    await waitUntil('it would have been told', () => Date.now() - silentAt > 2_000);
    expect([stays.events.length, goes.events.length]).toEqual([1, 1]);
    way.cut();
    await stays.atLeast(2);
    await expect(goes.over).rejects.toMatchObject({ code: 'key_revoked' });
    expect(goes.events).toHaveLength(1);
    expect(stays.opened).toBe(1);
    await api.stop();
  } finally {
    await way.stop();
  }
}, 60_000);
