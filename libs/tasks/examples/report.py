"""A program that `command.run` runs: input on stdin, progress and result as JSON lines on descriptor 3."""

import json
import os
import sys

reports = os.fdopen(3, "w", buffering=1)  # a line goes out when it is whole


def report(**line):
    print(json.dumps(line), file=reports)


job = json.load(sys.stdin)
rows = job["rows"]
if not rows:
    print("there is nothing to sum up yet", file=sys.stderr)
    sys.exit(75)  # try again later

total = 0
for number, row in enumerate(rows, start=1):
    total += row
    report(progress=100 * number / len(rows), note=f"{number} of {len(rows)}")

print(f"job {os.environ['JETBEAT_JOB_ID']}, attempt {os.environ['JETBEAT_ATTEMPT']}: done")  # goes to the log
report(result={"total": total})
