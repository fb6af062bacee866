"""One row of Celery: `python celery_rows.py <verb> <json>` prints its figures as one line of JSON."""

import json
import math
import os
import struct
import subprocess
import sys
import time

verb, params = sys.argv[1], json.loads(sys.argv[2])
settings = params["settings"]
warmup, jobs = params["warmup"], params["jobs"]
slots_file = os.path.join(params["dir"], "slots")
with open(slots_file, "wb") as file:
    file.truncate(8 * (warmup + jobs))
os.environ.update(BENCH_REDIS_URL=params["url"], BENCH_SLOTS=slots_file)

import redis  # noqa: E402
from celery import group  # noqa: E402

from celery_jobs import app, job, slots  # noqa: E402

server = redis.Redis.from_url(params["url"])
WARM, BENCH = "warm", "bench"


def add(queue, first, count):
    """As groups, or one by one; over one connection either way."""
    text = params["text"]
    if not settings["grouped"]:
        with app.producer_pool.acquire(block=True) as producer:
            for number in range(first, first + count):
                job.apply_async((number, text), queue=queue, producer=producer)
        return
    for begin in range(first, first + count, settings["batch"]):
        end = min(begin + settings["batch"], first + count)
        group(job.s(number, text) for number in range(begin, end)).apply_async(queue=queue)


def until(ask, seconds=60):
    end = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > end:
            raise TimeoutError(f"not so after {seconds} s")
        # Seldom enough to leave the machine to Celery.
        time.sleep(0.02)


def started(first, count):
    return [t for t in struct.unpack_from(f"{count}d", slots, 8 * first) if t > 0]


def worker(*queues):
    features = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    pool = ["--pool", "prefork", "--concurrency", str(settings["processes"]), "-O", "fair"]
    prefetch = ["--prefetch-multiplier", str(settings["prefetch"])]
    command = [sys.executable, "-m", "celery", "-A", "celery_jobs", "worker", "-Q", ",".join(queues)]
    return subprocess.Popen(
        [*command, *pool, *prefetch, *features, "--loglevel", "ERROR"],
        cwd=os.path.dirname(os.path.abspath(__file__)),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )


def stop(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def worked_off(queue, first, count):
    """All started, none waiting, and none that the worker has fetched and not acknowledged."""
    return len(started(first, count)) == count and server.llen(queue) == 0 and server.hlen("unacked") == 0


def bulk():
    add(WARM, 0, warmup)
    begun = time.monotonic()
    add(BENCH, warmup, jobs)
    return {"seconds": time.monotonic() - begun}


def drain():
    process = worker(WARM)
    try:
        add(WARM, 0, warmup)
        until(lambda: worked_off(WARM, 0, warmup))
        add(BENCH, warmup, jobs)
        app.control.add_consumer(BENCH)
        # Looking at the slots costs the machine something, so it is done once the server says that all are gone.
        until(lambda: server.llen(BENCH) == 0 and server.hlen("unacked") == 0)
        until(lambda: worked_off(BENCH, warmup, jobs))
        end = time.monotonic()
        times = started(warmup, jobs)
        return {"seconds": end - min(times), "started": len(times)}
    finally:
        stop(process)


def latency():
    process = worker(WARM, BENCH)
    try:
        add(WARM, 0, 1)
        until(lambda: worked_off(WARM, 0, 1))
        total = warmup + jobs
        every = 1 / params["rate"]
        begun = time.monotonic()
        for number in range(total):
            # A sender that is late hides nothing: what counts is when the job should have been sent.
            wait = begun + number * every - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            job.apply_async((number,), queue=BENCH)
        until(lambda: worked_off(BENCH, 0, total))
        times = struct.unpack_from(f"{total}d", slots, 0)
        samples = sorted((times[n] - begun - n * every) * 1000 for n in range(warmup, total))
        at = lambda share: samples[max(1, math.ceil(share * jobs)) - 1]  # noqa: E731
        return {"p50": at(0.5), "p99": at(0.99), "started": total}
    finally:
        stop(process)


print(json.dumps({"bulk": bulk, "drain": drain, "latency": latency}[verb]()))
