"""A source that stands still, into a tape that must not be starved.

The disk stalls 2 seconds in every 10. The tape is a virtual cartridge behind a decorator that
models an LTO-9 drive: below 177 MB/s it stops, goes back and starts again, which costs seconds.
Counted: how often the drive had to, without a start threshold and with one.
"""

import os

from . import measure, places

STALL = "10,2"
SIZE_MIB = 12 * 1024
# How `ecopy copy` is told of the modelled drive and of the threshold.
DRIVE = "lto-9"
THRESHOLDS = {"without threshold": "0", "with threshold": "default"}


def destination(cartridge):
    return f"tape:{cartridge},drive={DRIVE}"


def compare(options, slowdev, failures):
    size_mib = min(SIZE_MIB, 6 * options.size)
    place = places.SlowDevices(os.path.join(options.directory, "stall"), size_mib, slowdev, STALL)
    result = {}
    place.set_up()
    try:
        for name, threshold in THRESHOLDS.items():
            place.before_run(None)
            command = [options.ecopy, "copy", place.source, destination(place.tape())]
            command += ["--format", "json"]
            if threshold != "default":
                command += ["--start-threshold", threshold]
            try:
                measure.run([options.ecopy, "tape", "create", place.tape()])
                answer = measure.last_json_object(measure.run(command).output)
            except measure.CommandFailed as failure:
                failures[("stall", name)] = str(failure)
                continue
            result[name] = {key: answer.get(key) for key in ("repositionings", "seconds")}
            print(f"a source that stalls, {name}: {result[name]}")
    finally:
        place.tear_down()
    return result
