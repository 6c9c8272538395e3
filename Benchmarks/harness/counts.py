"""Counts that do not depend on how busy the machine is: instructions, calls, system calls."""

import os
import re
import shutil
import subprocess

from . import places

SHORT_MIB, LONG_MIB = 64, 192
# Functions whose calls are counted: what the steady state must not do.
COUNTED = {
    "allocations": ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"),
    "swift objects": ("swift_allocObject", "swift_slowAlloc"),
    "retains": ("swift_retain", "swift_bridgeObjectRetain"),
}


def _callgrind(command, file):
    """Instructions of the run, and how often each counted function was called."""
    subprocess.run(
        ["valgrind", "--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
         f"--callgrind-out-file={file}", *command],
        check=True, capture_output=True,
    )  # fmt: skip
    instructions, calls, callee = 0, {}, None
    # With several threads callgrind writes one part per thread only if asked; here it is one file.
    with open(file) as lines:
        for line in lines:
            if line.startswith("cfn="):
                callee = re.sub(r"'\d+$", "", line[4:].strip())
            elif line.startswith("calls=") and callee:
                calls[callee] = calls.get(callee, 0) + int(line[6:].split()[0])
            elif line.startswith(("summary:", "totals:")):
                instructions = max(instructions, int(line.split()[1]))
    os.unlink(file)
    counted = {
        kind: sum(calls.get(name, 0) for name in names) for kind, names in COUNTED.items()
    }
    return instructions, counted


def per_block(contender, directory):
    """Instructions and calls for one more block of 1 MiB: two runs of different length."""
    results = []
    for size_mib in (SHORT_MIB, LONG_MIB):
        place = places.Place(os.path.join(directory, f"counts-{size_mib}"), size_mib)
        place.set_up()
        try:
            place.before_run(contender)
            if contender.prepare:
                subprocess.run(contender.prepare(place), check=True, capture_output=True)
            file = os.path.join(place.directory, "callgrind.out")
            results.append(_callgrind(contender.command(place), file))
        finally:
            place.tear_down()
    (short, short_calls), (long, long_calls) = results
    blocks = LONG_MIB - SHORT_MIB
    answer = {"instructions": (long - short) / blocks, "instructions outside the loop": short}
    for kind in COUNTED:
        answer[kind] = (long_calls[kind] - short_calls[kind]) / blocks
    return answer


def have_callgrind():
    return shutil.which("valgrind") is not None


def enters_seen_by_kernel(command):
    """How often io_uring_enter was called, counted by the kernel; None where perf may not look."""
    if not shutil.which("perf"):
        return None
    event = "syscalls:sys_enter_io_uring_enter"
    answer = subprocess.run(
        ["perf", "stat", "-x", ",", "-e", event, *command], capture_output=True, text=True
    )
    for line in answer.stderr.splitlines():
        if event in line and line.split(",")[0].isdigit():
            return int(line.split(",")[0])
    return None
