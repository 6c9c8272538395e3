"""Who copies, and with which command. All of them end with the destination on stable storage."""

import dataclasses
import os
import shutil
import stat


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    command: object  # (place) -> list
    to_tape: bool = False
    prepare: object = None  # (place) -> list: what is done before and not measured
    needs_empty_file: bool = False  # it writes only into a file that has its full length
    durable: str = ""  # how it is made sure that the data is on the device
    needs: str = ""


def dd(place):
    flags = ["iflag=direct", "oflag=direct"] if place.direct else []
    return [
        "dd", f"if={place.source}", f"of={place.destination}", "bs=1M", *flags,
        "conv=notrunc,fdatasync", "status=none",
    ]  # fmt: skip


def ddpt(place):
    direct = "direct," if place.direct else ""
    return [
        "ddpt", f"if={place.source}", f"of={place.destination}", "bs=512", "bpt=2048",
        f"iflag={direct or 'null'}".rstrip(","), f"oflag={direct}fdatasync", "--quiet",
    ]  # fmt: skip


def qemu_img(place):
    cache = "none" if place.direct else "writeback"
    return [
        "qemu-img", "convert", "-n", "-W", "-m", "8", "-S", "0", "-f", "raw", "-O", "raw",
        "-T", cache, "-t", cache, place.source, place.destination,
    ]  # fmt: skip


def qemu_img_native(place):
    """The fastest way of qemu-img that was found: Linux AIO instead of its thread pool."""
    kind = "host_device" if stat.S_ISBLK(os.stat(place.source).st_mode) else "file"
    options = f"driver=raw,file.driver={kind},file.aio=native,cache.direct=on,file.filename="
    return [
        "qemu-img", "convert", "-n", "-W", "-m", "8", "-S", "0", "--image-opts",
        "--target-image-opts", options + place.source, options + place.destination,
    ]  # fmt: skip


def cp(place):
    return ["sh", "-c", 'cp "$1" "$2" && sync -d "$2"', "cp", place.source, place.destination]


def ecopy_contenders(ecopy):
    def to_disk(place):
        return [ecopy, "copy", place.source, place.destination, "--format", "json"]

    def to_tape(place):
        return [ecopy, "copy", place.source, f"tape:{place.tape()}", "--format", "json"]

    def new_tape(place):
        return [ecopy, "tape", "create", place.tape()]

    return [
        Contender("ecopy", to_disk, durable="its own fdatasync", needs=ecopy),
        Contender(
            "ecopy to tape", to_tape, to_tape=True, prepare=new_tape, durable="its own fdatasync",
            needs=ecopy,
        ),  # fmt: skip
    ]


PEERS = [
    Contender("dd", dd, durable="conv=fdatasync", needs="dd"),
    Contender("ddpt", ddpt, durable="oflag=fdatasync", needs="ddpt"),
    Contender(
        "qemu-img", qemu_img, needs_empty_file=True, durable="flush at its end", needs="qemu-img"
    ),
    Contender(
        "qemu-img aio", qemu_img_native, needs_empty_file=True, durable="flush at its end",
        needs="qemu-img",
    ),  # fmt: skip
    Contender("cp", cp, durable="cp, then sync -d", needs="cp"),
]


def present(contenders):
    """Those whose program is there, and the names of the others."""
    there = [contender for contender in contenders if shutil.which(contender.needs)]
    return there, [contender.name for contender in contenders if contender not in there]
