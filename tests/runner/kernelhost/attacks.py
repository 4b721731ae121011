"""What a hostile notebook tries. Each function runs inside the kernel; its return value is the evidence.

The functions are sent as source, so each one imports what it needs.
"""

import inspect
import json


def environment():
    import os

    return dict(os.environ)


def status():
    from pathlib import Path

    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def processes():
    import os
    from pathlib import Path

    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    read = {}
    for name in ("environ", "cmdline"):
        try:
            read[name] = Path(f"/proc/1/{name}").read_bytes().decode(errors="replace")
        except OSError as error:
            read[name] = type(error).__name__
    return {"pids": pids, **read}


def descriptors():
    import os

    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return found


def tree():
    import os

    places = [
        "/",
        "/etc",
        "/run",
        "/tmp",
        "/home",
        "/opt",
        "/dev",
        "/root",
        "/var",
        "/sys",
        "/work",
    ]
    listed = {}
    for place in places:
        try:
            listed[place] = sorted(os.listdir(place))
        except OSError as error:
            listed[place] = type(error).__name__
    return listed


def passwd():
    from pathlib import Path

    return Path("/etc/passwd").read_text()


def writes():
    import os
    import sys
    from pathlib import Path

    answers = {}
    places = [
        "/",
        "/usr",
        "/etc",
        "/opt/environment",
        os.path.dirname(os.__file__),
        "/dev",
        "/proc/sys/kernel",
    ]
    for place in [*places, *(p for p in sys.path if "site-packages" in p)]:
        try:
            Path(place, "evil.pth").write_text("import os")
            answers[place] = "written"
        except OSError as error:
            answers[place] = error.strerror
    return answers


def network():
    import socket

    answers = {}
    for family, address in [
        (socket.AF_INET, ("127.0.0.1", HOST_PORT)),
        (socket.AF_INET, ("10.0.0.1", 80)),
        (socket.AF_INET, ("169.254.169.254", 80)),
        (socket.AF_INET6, ("::1", HOST_PORT)),
        (socket.AF_INET6, ("2001:db8::1", 80)),
    ]:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as s:
                s.settimeout(2)
                try:
                    s.connect(address)
                    s.send(b"x")
                    # Nobody listens inside, so a datagram to loopback says so at the second try.
                    s.send(b"x")
                    answers[f"{address[0]} {kind.name}"] = "connected"
                except OSError as error:
                    answers[f"{address[0]} {kind.name}"] = error.strerror
    try:
        socket.getaddrinfo("example.org", 80)
        answers["dns"] = "resolved"
    except OSError as error:
        answers["dns"] = type(error).__name__
    return answers


def families():
    import errno
    import socket

    answers = {}
    for family in range(1, 46):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                socket.socket(family, kind, 0).close()
                answers[str(family)] = "made"
            except OSError as error:
                answers.setdefault(str(family), errno.errorcode[error.errno])
    for protocol in range(1, 23):
        try:
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol).close()
            answers[f"netlink {protocol}"] = "made"
        except OSError as error:
            answers[f"netlink {protocol}"] = errno.errorcode[error.errno]
    return answers


def abstract_socket():
    import socket

    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect("\0" + ABSTRACT_NAME)
            return "connected"
        except OSError as error:
            return error.strerror


def system_calls():
    import ctypes
    import errno

    libc = ctypes.CDLL(None, use_errno=True)
    numbers = {
        "unshare user": (272, 0x10000000),
        "unshare net": (272, 0x40000000),
        "clone newuser": (56, 0x10000000 | 17),
        "clone parent": (56, 0x8000 | 17),
        "clone3": (435, 0, 0),
        "mount": (165, 0, 0, 0, 0, 0),
        "umount2": (166, 0, 0),
        "fsopen": (430, 0, 0),
        "setns": (308, 0, 0),
        "chroot": (161, 0),
        "pivot_root": (155, 0, 0),
        "ptrace": (101, 0, 0, 0, 0),
        "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
        "keyctl": (250, 0, -3, 1),
        "add_key": (248, 0, 0, 0, 0, 0),
        "request_key": (249, 0, 0, 0, 0),
        "bpf": (321, 0, 0, 0),
        "perf_event_open": (298, 0, 0, -1, -1, 0),
        "userfaultfd": (323, 0),
        "io_uring_setup": (425, 1, 0),
        "open_by_handle_at": (304, 0, 0, 0),
        "kexec_load": (246, 0, 0, 0, 0),
        "init_module": (175, 0, 0, 0),
        "reboot": (169, 0, 0, 0, 0),
        "TIOCSTI": (16, 0, 0x5412, 0),
        "personality": (135, 0x0040000),
        "x32 getpid": (0x40000000 + 39,),
    }
    answers = {}
    for name, (number, *arguments) in numbers.items():
        ctypes.set_errno(0)
        result = libc.syscall(number, *(ctypes.c_long(a) for a in arguments))
        answers[name] = (
            errno.errorcode.get(ctypes.get_errno(), "allowed")
            if result == -1
            else "allowed"
        )
    return answers


def nested_user_namespace():
    import subprocess

    return subprocess.run(
        ["unshare", "-Ur", "id"], capture_output=True, text=True
    ).returncode


def signals():
    import os

    reached = []
    for pid in range(2, 3000):
        try:
            os.kill(pid, 0)
            reached.append(pid)
        except OSError:
            pass
    return reached


def set_uid_programs():
    import os
    import subprocess
    from pathlib import Path

    flags = [
        line.split()[5]
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    result = subprocess.run(
        ["su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return {
        "nosuid": all("nosuid" in flag for flag in flags),
        "su": result.stdout,
        "uid": os.geteuid(),
    }


def kernel_files():
    answers = {}
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/drop_caches",
    ):
        try:
            with open(path, "w") as f:
                f.write("1")
            answers[path] = "written"
        except OSError as error:
            answers[path] = error.strerror
    for path in (
        "/dev/kmsg",
        "/dev/mem",
        "/sys/kernel",
        "/sys/fs/cgroup",
        "/proc/kcore",
        "/dev/vda",
        "/dev/sda",
    ):
        try:
            with open(path, "rb") as f:
                answers[path] = f"read {len(f.read(1))}"
        except OSError as error:
            answers[path] = error.strerror
    return answers


def terminal():
    import os

    answers = {}
    try:
        os.open("/dev/tty", os.O_RDWR)
        answers["tty"] = "opened"
    except OSError as error:
        answers["tty"] = error.strerror
    answers["stdin"] = os.readlink("/proc/self/fd/0")
    return answers


def cell_of(attack, **names):
    """A notebook cell that runs one attack and prints its evidence as JSON."""
    header = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return f"{header}{inspect.getsource(attack)}\nimport json\nprint(json.dumps({attack.__name__}()))"


def evidence(outcome, index):
    """What the attack in a cell returned."""
    return json.loads(outcome.outputs(index)[-1]["text"])
