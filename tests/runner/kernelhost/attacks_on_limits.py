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
