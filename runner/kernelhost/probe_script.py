"""Runs inside the sandbox and reports what it can see and do there, as one line of JSON.

The host's self-test reads the answers and judges them; this script only looks.
It uses nothing but the standard library and is handed to the interpreter as text.
"""

import ctypes
import errno
import json
import os
import resource
import socket

CLONE_NEWUSER = 0x10000000
AF_VSOCK = 40
STATUS_FIELDS = ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "Uid")
RLIMITS = {
    "core": resource.RLIMIT_CORE,
    "processes": resource.RLIMIT_NPROC,
    "files": resource.RLIMIT_NOFILE,
    "data": resource.RLIMIT_DATA,
    "file_size": resource.RLIMIT_FSIZE,
}
WRITE_TARGETS = ("/", "/usr", "/etc", "/opt/environment", "/dev")


def error_name(call):
    """The name of the error that ``call`` raises, or "allowed"."""
    try:
        call()
    except OSError as problem:
        return errno.errorcode.get(problem.errno, str(problem.errno))
    return "allowed"


def write_below(directory):
    def attempt():
        path = os.path.join(directory, ".probe")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)

    return error_name(attempt)


def new_user_namespace():
    libc = ctypes.CDLL(None, use_errno=True)

    def attempt():
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")

    return error_name(attempt)


def status_fields():
    with open("/proc/self/status") as status:
        fields = dict(
            line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line
        )
    return {name: fields[name] for name in STATUS_FIELDS if name in fields}


def report():
    return {
        "namespaces": {
            name: os.readlink("/proc/self/ns/" + name)
            for name in os.listdir("/proc/self/ns")
        },
        "pids": [int(name) for name in os.listdir("/proc") if name.isdigit()],
        "interfaces": [name for _, name in socket.if_nameindex()],
        "status": status_fields(),
        "writes": {
            path: write_below(path) for path in WRITE_TARGETS if os.path.isdir(path)
        },
        "unshare": new_user_namespace(),
        "vsock": error_name(
            lambda: socket.socket(AF_VSOCK, socket.SOCK_STREAM).close()
        ),
        "rlimits": {
            name: resource.getrlimit(number) for name, number in RLIMITS.items()
        },
    }


def main():
    print(json.dumps(report()), flush=True)
    # Wait to be killed, so that the host can look at us from outside.
    os.mkfifo("/run/kernel/wait")
    os.read(os.open("/run/kernel/wait", os.O_RDONLY), 1)


if __name__ == "__main__":
    main()
