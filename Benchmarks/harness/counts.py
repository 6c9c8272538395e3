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


class Counter:
    """Counts the instructions of programs; made once, in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.patient = os.path.join(directory, "patient_enter.so")
        source = os.path.join(os.path.dirname(__file__), "patient_enter.c")
        build = ["gcc", "-O2", "-fPIC", "-shared", source, "-o", self.patient]
        subprocess.run(build, check=True)

    def _without_debug_information(self, program):
        """valgrind 3.19 gives up over what Swift 6.3 writes there; names of functions remain."""
        stripped = os.path.join(self.directory, os.path.basename(program) + "-stripped")
        subprocess.run(["strip", "--strip-debug", "-o", stripped, program], check=True)
        return stripped

    def run(self, command):
        """Returns ({function: its own instructions}, {function: how often it was called})."""
        file = os.path.join(self.directory, "callgrind.out")
        program = self._without_debug_information(shutil.which(command[0]))
        subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", "--compress-strings=no",
             "--compress-pos=no", f"--callgrind-out-file={file}", program, *command[1:]],
            check=True, capture_output=True, timeout=600,
            env={**os.environ, "LD_PRELOAD": self.patient},
        )  # fmt: skip
        with open(file) as lines:
            counted = _read_profile(lines, os.path.basename(self.patient))
        os.unlink(file)
        return counted

    def per_block(self, contender):
        """What one more block of 1 MiB costs: the difference of two runs of different length."""
        short, long = (self._run_on(contender, size_mib) for size_mib in (SHORT_MIB, LONG_MIB))
        blocks = LONG_MIB - SHORT_MIB
        functions = {
            name: (long[0][name] - short[0].get(name, 0)) / blocks
            for name in sorted(long[0])
        }
        answer = {"instructions": sum(functions.values())}
        for kind, names in COUNTED.items():
            answer[kind] = sum(long[1].get(n, 0) - short[1].get(n, 0) for n in names) / blocks
        answer["instructions to start and end"] = (
            sum(short[0].values()) - answer["instructions"] * SHORT_MIB
        )
        most = sorted(functions.items(), key=lambda item: -item[1])[:12]
        return answer, {name: value for name, value in most if value >= 1}

    def _run_on(self, contender, size_mib):
        place = places.Place(os.path.join(self.directory, f"files-{size_mib}"), size_mib)
        place.set_up()
        try:
            place.before_run(contender)
            if contender.prepare:
                subprocess.run(contender.prepare(place), check=True, capture_output=True)
            return self.run(contender.command(place))
        finally:
            place.tear_down()


def _read_profile(lines, left_out):
    own, calls = {}, {}
    inside = function = callee = ""
    is_cost_of_call = False
    for line in lines:
        if line.startswith("ob="):
            inside = line[3:].strip()
        elif line.startswith("fn="):
            function = re.sub(r"'\d+$", "", line[3:].strip())
        elif line.startswith("cfn="):
            callee = re.sub(r"'\d+$", "", line[4:].strip())
        elif line.startswith("calls="):
            calls[callee] = calls.get(callee, 0) + int(line[6:].split()[0])
            is_cost_of_call = True
        elif line[:1].isdigit() or line[:1] in "+-*":
            if not is_cost_of_call and os.path.basename(inside) != left_out:
                fields = line.split()
                own[function] = own.get(function, 0) + (int(fields[1]) if len(fields) > 1 else 0)
            is_cost_of_call = False
    return own, calls


def have_callgrind():
    return all(shutil.which(program) for program in ("valgrind", "gcc", "strip"))


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
