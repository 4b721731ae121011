"""More of what a hostile notebook tries: filling, planting, installing, leaving traces."""


def many_files():
    import errno

    opened = []
    try:
        while len(opened) < 100_000:
            opened.append(open("/dev/null"))
    except OSError as error:
        return [errno.errorcode[error.errno], len(opened)]
    finally:
        for f in opened:
            f.close()


def full_disks():
    import os
    from pathlib import Path

    answers = {}
    for place in ("/tmp", "/home/kernel", "/dev/shm", "/run/kernel"):
        path = Path(place, "fill")
        written = 0
        try:
            with path.open("wb") as f:
                while written < 2**31:
                    written += f.write(b"\1" * 1_048_576)
        except OSError as error:
            answers[place] = [error.strerror, written]
        path.unlink()
    sparse = Path("/tmp/sparse")
    try:
        with sparse.open("wb") as f:
            os.ftruncate(f.fileno(), 2**40)
        answers["sparse"] = "made"
    except OSError as error:
        answers["sparse"] = error.strerror
    return answers


def hostile_files():
    import errno
    import os
    import stat

    def outcome(act, *arguments):
        try:
            act(*arguments)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "made"

    def name_badly(folder):
        for name in (b"..\\..\\x", b"..\xc0\xaf..", b"\n..", b"\xff" * 255):
            open(folder.encode() + b"/" + name, "w").close()

    met = {}
    for place in ("/tmp", "/home/kernel", "/dev/shm", "/run/kernel"):
        os.makedirs(f"{place}/results")
        at = f"{place}/results/result.html"
        met[place] = {
            "character device": outcome(
                os.mknod, f"{at}.c", stat.S_IFCHR | 0o666, os.makedev(1, 1)
            ),
            "block device": outcome(
                os.mknod, f"{at}.b", stat.S_IFBLK | 0o666, os.makedev(8, 0)
            ),
            "hard link outwards": outcome(os.link, "/etc/passwd", f"{at}.l"),
            "pipe": outcome(os.mkfifo, at),
            "names": outcome(name_badly, f"{place}/results"),
            "privileges as an attribute": outcome(
                os.setxattr,
                *(
                    f"{place}/results",
                    "security.capability",
                    b"\1\0\0\2" + b"\xff" * 4 + bytes(12),
                ),
            ),
            "attribute of the system": outcome(
                os.setxattr, f"{place}/results", "trusted.x", b"x"
            ),
        }
    return met


def side_channels():
    import ctypes
    import errno
    import os
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    met = {}
    for name, arguments in {
        "share a core with process 1": (62, 2, 1, 0, 0),
        "take the cookie of process 1": (62, 3, 1, 0, 0),
    }.items():
        failed = libc.prctl(*(ctypes.c_long(a) for a in arguments))
        met[name] = errno.errorcode[ctypes.get_errno()] if failed else "done"
    for path in ("/dev/cpu/0/msr", "/sys/devices/system/cpu/vulnerabilities"):
        met[path] = "there" if os.path.lexists(path) else "absent"
    page = ctypes.create_string_buffer(b"x" * 4096)
    try:
        with open("/proc/self/pagemap", "rb") as pagemap:
            pagemap.seek(ctypes.addressof(page) // 4096 * 8)
            frame = struct.unpack("Q", pagemap.read(8))[0] & ((1 << 55) - 1)
    except OSError as error:
        frame = errno.errorcode[error.errno]
    met["where its memory lies"] = frame
    with open("/proc/kallsyms") as symbols:
        met["where the kernel lies"] = int(next(symbols, "0").split()[0], 16)
    return met


def planted_links():
    import os

    before = os.listdir("/run/kernel")
    for name in before:
        if name.startswith("k-"):
            os.rename(f"/run/kernel/{name}", f"/run/kernel/moved-{name}")
            os.symlink("/etc/passwd", f"/run/kernel/{name}")
    return before


def connection_file():
    import os
    import stat

    directory, file = os.stat("/run/kernel"), os.stat("/run/kernel/connection.json")
    return [
        stat.S_IMODE(directory.st_mode),
        stat.S_IMODE(file.st_mode),
        directory.st_uid,
    ]


def installing():
    import subprocess
    import sys

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--retries",
            "0",
            "--timeout",
            "2",
            "tomli",
        ],
        capture_output=True,
        text=True,
    )
    return run.returncode


def identity():
    import os
    import platform
    import time
    from pathlib import Path

    return {
        "host": platform.node(),
        "zone": time.tzname[0],
        "cwd": os.getcwd(),
        "mounts": Path("/proc/self/mountinfo").read_text(),
    }


def thirty_two_bit_call():
    import ctypes
    import mmap
    import os

    pid = os.fork()
    if pid == 0:
        code = mmap.mmap(
            -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
        code.write(
            b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
        )  # mov eax, getpid; int 0x80; ret
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def leave_traces():
    import ctypes
    from pathlib import Path

    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.shmget(0x5EC12E7, 4096, 0o1666)
    Path("/tmp/trace").write_text("left")
    Path("/dev/shm/trace").write_text("left")
    startup = Path.home() / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "evil.py").write_text("EVIL = 1")
    return made >= 0


def find_traces():
    import ctypes
    from pathlib import Path

    libc = ctypes.CDLL(None, use_errno=True)
    return [
        libc.shmget(0x5EC12E7, 4096, 0o666) >= 0,
        Path("/tmp/trace").exists(),
        Path("/dev/shm/trace").exists(),
        "EVIL" in globals(),
        (Path.home() / ".ipython" / "profile_default" / "startup" / "evil.py").exists(),
    ]
