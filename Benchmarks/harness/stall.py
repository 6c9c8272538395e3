"""A source that stands still, into a tape that must not be starved.

Both are modelled by the program's own decorators, in front of real files: the disk gives 300 MB/s
and stalls 2 seconds in every 10; the tape is a cartridge behind a drive that streams between 177
and 400 MB/s (LTO-9), with 32 MiB of buffer, so that every gap of the source is felt. Below its
slowest rate the drive stops, goes back and starts again, which costs seconds. Counted: how often it
had to, without a start threshold and with one, in the same amount of memory.
"""

import os
import shutil

from . import measure, places

SOURCE = ",rate=300MB,stall=2s/10s"
DRIVE = ",drive=400MB/177MB/32MB"
ARENA = "2GiB"
THRESHOLDS = {"without threshold": "0", "with threshold": "1GiB"}
# The source is copied so often, one after another: 40 seconds and more, at least four stalls.
TIMES = 10


def compare(options, slowdev, failures):
    del slowdev
    directory = os.path.join(options.directory, "stall")
    os.makedirs(directory, exist_ok=True)
    source = os.path.join(directory, "source")
    tape = os.path.join(directory, "tape")
    result = {}
    try:
        places.write_random(source, options.size)
        for name, threshold in THRESHOLDS.items():
            shutil.rmtree(tape, ignore_errors=True)
            command = [options.ecopy, "copy", *[source + SOURCE] * TIMES, f"tape:{tape}{DRIVE}"]
            command += ["--format", "json", "--arena", ARENA, "--start-threshold", threshold]
            try:
                measure.run([options.ecopy, "tape", "create", tape])
                answer = measure.last_json_object(measure.run(command).output)
            except measure.CommandFailed as failure:
                failures[("stall", name)] = str(failure)
                continue
            result[name] = {key: answer.get(key) for key in ("repositionings", "seconds")}
            print(f"a source that stalls, {name}: {result[name]}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return result
