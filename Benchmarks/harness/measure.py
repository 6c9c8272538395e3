"""Run one command and measure it: its own process, the whole system, the block devices."""

import dataclasses
import json
import os
import subprocess
import threading
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Measurement:
    wall: float  # seconds, flush to the device included
    cpu: float  # user + system seconds of the command and its children, kernel workers included
    system_cpu: float  # busy seconds of all processors meanwhile, other people's work included
    minor_faults: int
    voluntary_switches: int
    read_requests: int  # at the block devices of the place, 0 where there is none
    write_requests: int
    kernel_workers: int  # most iou-wrk threads seen at once, if they were watched
    output: str


class CommandFailed(Exception):
    def __init__(self, command, status, output):
        super().__init__(f"exit {status}: {' '.join(command)}\n{output.strip()[-2000:]}")


def busy_seconds():
    """Busy time of all processors since the start: user, nice, system, irq, softirq."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    return (sum(fields[0:3]) + sum(fields[5:7])) / TICKS_PER_SECOND


def block_statistics(path):
    """Where the kernel counts the requests of the device that holds `path`; None for none."""
    number = os.stat(path).st_dev
    file = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat"
    return file if os.path.exists(file) else None


def requests(statistics_files):
    reads = writes = 0
    for file in statistics_files:
        with open(file) as text:
            fields = text.read().split()
        reads += int(fields[0])
        writes += int(fields[4])
    return reads, writes


def _watch_workers(pid, ended, seen):
    while not ended.wait(0.005):
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            return
        workers = 0
        for task in tasks:
            try:
                with open(f"/proc/{pid}/task/{task}/comm") as name:
                    workers += name.read().startswith("iou-wrk")
            except OSError:
                pass
        seen[0] = max(seen[0], workers)


def run(command, statistics_files=(), watch_workers=False):
    """Run `command` (a list) to its end; raises CommandFailed when its status is not 0."""
    requests_before = requests(statistics_files)
    busy_before = busy_seconds()
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    pieces = []
    reader = threading.Thread(target=lambda: pieces.append(process.stdout.read()))
    reader.start()
    ended, workers = threading.Event(), [0]
    watcher = None
    if watch_workers:
        watcher = threading.Thread(target=_watch_workers, args=(process.pid, ended, workers))
        watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    busy = busy_seconds() - busy_before
    ended.set()
    reader.join()
    if watcher:
        watcher.join()
    requests_after = requests(statistics_files)
    output = b"".join(pieces).decode(errors="replace")
    if process.returncode != 0:
        raise CommandFailed(command, process.returncode, output)
    return Measurement(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        system_cpu=busy,
        minor_faults=usage.ru_minflt,
        voluntary_switches=usage.ru_nvcsw,
        read_requests=requests_after[0] - requests_before[0],
        write_requests=requests_after[1] - requests_before[1],
        kernel_workers=workers[0],
        output=output,
    )


def last_json_object(text):
    """The last JSON object of a program's output: the whole of it, or its last line; {} if none."""
    for candidate in [text, *reversed(text.splitlines())]:
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}
