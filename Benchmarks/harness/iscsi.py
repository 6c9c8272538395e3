"""The two iSCSI targets that are compared, each serving the same file, and the client."""

import json
import os
import pathlib
import re
import socket
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SECONDS_TO_START = 20


def build_client(source, folder):
    program = os.path.join(folder, "iscsi-load")
    subprocess.run(
        ["gcc", "-std=gnu17", "-O2", "-Wall", str(source), "-o", program, "-liscsi"], check=True
    )
    return program


def backing_file(folder, mib):
    """A file without holes, of bytes that do not repeat soon."""
    path = os.path.join(folder, "disk.img")
    piece = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(piece)
        os.fsync(file.fileno())
    return path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not start within {SECONDS_TO_START} s")


class Target:
    """A running process that serves the file at `url`."""

    name = ""
    url = ""
    process = None

    def cpu_seconds(self):
        """User and system time of the process, from /proc: its threads, and those of its ring."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def measure(self, client, cell, seconds):
        command = [
            client, self.url, cell["direction"], cell["order"], str(cell["block"]),
            str(cell["depth"]), str(seconds), str(os.path.getsize(self.backing)),
        ]  # fmt: skip
        before = self.cpu_seconds()
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        cpu = max(self.cpu_seconds() - before, 1 / TICKS_PER_SECOND)
        result = json.loads(output)
        gib = result["transferred"] / 2**30
        measured = result["mib_per_second"] * result["seconds"] / 1024
        return {
            **result,
            "cpu_seconds_per_gib": cpu / gib,
            "mib_per_cpu_second": gib * 1024 / cpu,
            "client_cpu_seconds_per_gib": result["client_cpu_seconds"] / measured,
        }

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Ecopyd(Target):
    name = "ecopyd"

    def __init__(self, program, backing, folder):
        self.backing = backing
        target = "iqn.2026-11.org.ecopy.benchmark:ecopyd"
        configuration = os.path.join(folder, "ecopy.yaml")
        with open(configuration, "w") as file:
            file.write(
                "portals: [127.0.0.1:3260]\n"
                f"units:\n  disk: {{file: {backing}, size: {os.path.getsize(backing) >> 20} MiB}}\n"
                f"targets:\n  - name: {target}\n    access:\n"
                "      - {initiators: any, authentication: none, units: {0: disk}}\n"
            )
        log = os.path.join(folder, "ecopyd.log")
        command = [program, "--config", configuration, "--state", os.path.join(folder, "state")]
        command += ["--listen", "127.0.0.1:0"]
        with open(log, "w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        portal = until(
            lambda: re.search(r"^ecopyd: listening on (\S+)", pathlib.Path(log).read_text(), re.M),
            f"{program} ({log})",
        )
        self.url = f"iscsi://{portal[1]}/{target}/0"


class Tgtd(Target):
    name = "tgtd"

    def __init__(self, backing, folder):
        self.backing = backing
        target = "iqn.2026-11.org.ecopy.benchmark:tgtd"
        portal = f"127.0.0.1:{free_port()}"
        environment = {**os.environ, "TGT_IPC_SOCKET": os.path.join(folder, "tgt.ipc")}
        environment["PATH"] += ":/usr/sbin:/sbin"
        with open(os.path.join(folder, "tgtd.log"), "w") as output:
            self.process = subprocess.Popen(
                ["tgtd", "-f", "--iscsi", f"portal={portal}"],
                env=environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

        def admin(*words):
            command = ["tgtadm", "--lld", "iscsi", *words]
            return subprocess.run(command, env=environment, capture_output=True, check=False)

        until(lambda: admin("--mode", "target", "--op", "show").returncode == 0, "tgtd")
        for words in (
            f"--mode target --op new --tid 1 -T {target}",
            f"--mode logicalunit --op new --tid 1 --lun 1 -b {backing}",
            # What made it fastest: large segments and bursts, and data without being asked for.
            "--mode target --op update --tid 1 --name MaxRecvDataSegmentLength --value 262144",
            "--mode target --op update --tid 1 --name MaxBurstLength --value 1048576",
            "--mode target --op update --tid 1 --name FirstBurstLength --value 262144",
            "--mode target --op update --tid 1 --name InitialR2T --value No",
            "--mode target --op bind --tid 1 -I ALL",
        ):
            answer = admin(*words.split())
            if answer.returncode != 0:
                raise RuntimeError(f"tgtadm {words}: {answer.stderr.decode()}")
        self.url = f"iscsi://{portal}/{target}/1"
