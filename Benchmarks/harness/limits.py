"""What the ground can do at best: fio, with one request after the other never waited for."""

import json
import os
import subprocess


def _job(name, path, size_mib, direction):
    job = [f"--name={name}", f"--filename={path}", f"--rw={direction}", f"--size={size_mib}M"]
    return job + (["--end_fsync=1"] if direction == "write" else [])


def _seconds(place, jobs):
    options = ["--ioengine=io_uring", "--bs=1M", "--iodepth=16", "--output-format=json"]
    options += ["--registerfiles=1", "--allow_file_create=0"]
    if place.direct:
        options += ["--direct=1"]
        if os.geteuid() == 0:  # registered buffers count against the memory an ordinary user may lock
            options += ["--fixedbufs=1", "--nonvectored=1"]
    answer = subprocess.run(
        ["fio", *options, *jobs], check=True, capture_output=True, text=True
    ).stdout
    jobs = json.loads(answer[answer.index("{") :])["jobs"]
    return max(job["job_runtime"] for job in jobs) / 1000


def fio_seconds(place):
    """Seconds to read the source, to write over a file, and to do both at the same time."""
    read = _job("read", place.source, place.size_mib, "read")
    write = _job("write", place.limit_file, place.size_mib, "write")
    return {
        "read": _seconds(place, read),
        "write": _seconds(place, write),
        "both": _seconds(place, [*read, *write]),
    }


def limit(place):
    """The parts of the limit in seconds; "limit" is the time that no copy can beat by much."""
    if place.limit_kind == "arithmetic":
        return {"limit": place.limit_seconds()}
    parts = fio_seconds(place)
    return {**parts, "limit": parts["both"]}
