"""Where copies are measured: a source, a destination, and what the ground can do at best."""

import os
import random
import shutil
import stat
import subprocess
import time

from . import measure

MIB = 1 << 20
PROBES = 16  # places of the destination that are looked at after a copy, and spoiled before it
PROBE_BYTES = 4096


def have_direct_io(directory):
    path = os.path.join(directory, "direct-io-probe")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o600))
        return True
    except OSError:
        return False
    finally:
        if os.path.exists(path):
            os.unlink(path)


def write_random(path, size_mib):
    """Write random bytes over a file or device, which is made if it is not there."""
    with open(path, "r+b" if os.path.exists(path) else "wb", buffering=0) as file:
        for _ in range(size_mib):
            file.write(os.urandom(MIB))
        os.fsync(file.fileno())


def write_over(path, size_mib):
    """The same with one random block again and again: all is allocated, and nothing compresses."""
    block = os.urandom(MIB)
    with open(path, "r+b" if os.path.exists(path) else "wb", buffering=0) as file:
        for _ in range(size_mib):
            file.write(block)
        os.fsync(file.fileno())


def forget_cache(path):
    """No page of `path` stays in the page cache (its dirty ones are written first)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        pass  # a file system without a page cache of its own
    finally:
        os.close(handle)


class Place:
    """A file that is copied to a new one."""

    name = "files"
    title = "files on disk"
    limit_kind = "fio"
    makes_files = True  # else the destination is a device and is written over in place

    def __init__(self, directory, size_mib):
        self.directory = directory
        self.size_mib = size_mib
        self.source = os.path.join(directory, "source.img")
        self.destination = os.path.join(directory, "destination.img")
        self.limit_file = os.path.join(directory, "limit.img")  # what fio writes over
        self.tapes = directory  # where virtual cartridges are made
        self.direct = True

    @property
    def gib(self):
        return self.size_mib / 1024

    def set_up(self):
        os.makedirs(self.directory, exist_ok=True)
        self.direct = have_direct_io(self.directory)
        write_random(self.source, self.size_mib)
        if self.limit_kind == "fio":
            write_over(self.limit_file, self.size_mib)

    def tear_down(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def statistics_files(self):
        found = {measure.block_statistics(self.directory)}
        return [file for file in found if file]

    def tape(self):
        return os.path.join(self.tapes, "cartridge")

    def before_run(self, contender):
        """The same start for everybody: cold caches, an idle device, nothing left of the last run."""
        shutil.rmtree(self.tape(), ignore_errors=True)
        if not self.makes_files:
            self._spoil()
            forget_cache(self.destination)
        elif os.path.exists(self.destination):
            os.unlink(self.destination)
        forget_cache(self.source)
        if contender and contender.needs_empty_file and self.makes_files:
            with open(self.destination, "wb") as file:
                file.truncate(self.size_mib * MIB)
        os.sync()
        time.sleep(0.2)

    def _probes(self):
        places = random.Random(self.size_mib)
        count = self.size_mib * MIB // PROBE_BYTES
        return [places.randrange(count) * PROBE_BYTES for _ in range(PROBES)]

    def _spoil(self):
        with open(self.destination, "r+b", buffering=0) as file:
            for at in self._probes():
                file.seek(at)
                file.write(os.urandom(PROBE_BYTES))
            os.fsync(file.fileno())

    def check(self):
        """True if the destination is as long as the source and equals it where it is looked at."""
        with open(self.source, "rb") as source, open(self.destination, "rb") as destination:
            if destination.seek(0, os.SEEK_END) != self.size_mib * MIB:
                return False
            for at in self._probes():
                source.seek(at)
                destination.seek(at)
                if source.read(PROBE_BYTES) != destination.read(PROBE_BYTES):
                    return False
        return True


class MemoryFiles(Place):
    name = "tmpfs"
    title = "files in memory (tmpfs: no direct I/O in truth, every byte is copied by the kernel)"

    def statistics_files(self):
        return []


class LoopDevices(Place):
    name = "loop"
    title = "two loop devices over files in memory"
    makes_files = False

    def set_up(self):
        os.makedirs(self.directory, exist_ok=True)
        self.devices = []
        for role in ("source", "destination"):
            file = os.path.join(self.directory, role)
            write_over(file, self.size_mib)
            self.devices.append(
                subprocess.run(
                    ["losetup", "--find", "--show", file], check=True, capture_output=True, text=True
                ).stdout.strip()
            )
        self.source, self.destination = self.devices
        self.limit_file = self.destination
        write_random(self.source, self.size_mib)

    def statistics_files(self):
        return [f"/sys/block/{os.path.basename(device)}/stat" for device in self.devices]

    def tear_down(self):
        for device in self.devices:
            subprocess.run(["losetup", "--detach", device], check=False)
        super().tear_down()


class SlowDevices(Place):
    """A disk and a slower tape, each with one head (Benchmarks/slowdev)."""

    name = "slow"
    limit_kind = "arithmetic"
    READ_MB, WRITE_MB = 1000, 400

    def __init__(self, directory, size_mib, slowdev, stall=None):
        super().__init__(directory, size_mib)
        self.slowdev = slowdev
        self.stall = stall
        self.title = f"two devices with one head each: disk {self.READ_MB} MB/s, tape {self.WRITE_MB} MB/s"
        self.mounts = [os.path.join(directory, "disk"), os.path.join(directory, "tape")]

    def set_up(self):
        for mount in self.mounts:
            os.makedirs(mount, exist_ok=True)
        disk, tape = self.mounts
        size = str(self.size_mib)
        # Filled while still fast: the source is written at the rate of memory.
        source = [self.slowdev, "--size", size, "--disk", size, "--read", str(self.READ_MB)]
        source += ["--write", "100000"]
        if self.stall:
            source += ["--stall", self.stall]
        subprocess.run([*source, disk], check=True)
        room = str(self.size_mib + 256)  # a cartridge allocates ahead
        write = ["--read", str(self.WRITE_MB), "--write", str(self.WRITE_MB)]
        subprocess.run([self.slowdev, "--size", room, *write, tape], check=True)
        self.source = os.path.join(disk, "disk")
        self.destination = os.path.join(tape, "disk")
        self.tapes = tape
        write_random(self.source, self.size_mib)

    def limit_seconds(self):
        return self.size_mib * MIB / (min(self.READ_MB, self.WRITE_MB) * 1e6)

    def statistics_files(self):
        return []

    def tear_down(self):
        for mount in self.mounts:
            subprocess.run(["fusermount3", "-u", "-z", mount], check=False, capture_output=True)
        super().tear_down()
