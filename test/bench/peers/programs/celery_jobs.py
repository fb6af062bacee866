"""The application and the no-op job that the Celery rows run; also what the worker imports."""

import mmap
import os
import struct
import time

from celery import Celery

app = Celery("jetbeat_bench", broker=os.environ["BENCH_REDIS_URL"])
app.conf.update(
    # Nobody asks for results here: https://docs.celeryq.dev/en/stable/userguide/tasks.html#ignore-results-you-don-t-want
    task_ignore_result=True,
    worker_disable_rate_limits=True,
    broker_connection_retry_on_startup=True,
)

# A slot of 8 bytes per job in memory that the worker's processes share with the program that measures.
with open(os.environ["BENCH_SLOTS"], "r+b") as file:
    slots = mmap.mmap(file.fileno(), 0)


@app.task(name="job")
def job(number, text=""):
    """Leaves when it was started: seconds of the clock that all processes of a machine share."""
    struct.pack_into("d", slots, 8 * number, time.monotonic())
