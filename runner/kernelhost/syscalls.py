"""System call numbers that the filter speaks about, for the two architectures we support.

Source: Linux ``include/uapi/asm-generic/unistd.h`` (aarch64) and
``arch/x86/entry/syscalls/syscall_64.tbl``. ``None``: the architecture has no such call.
"""

from __future__ import annotations

from dataclasses import dataclass

AUDIT_ARCH_X86_64 = 0xC000003E
AUDIT_ARCH_AARCH64 = 0xC00000B7


@dataclass(frozen=True)
class Architecture:
    """One machine architecture: its audit token and the column of the table below."""

    name: str
    audit_arch: int
    column: int
    has_x32: bool


X86_64 = Architecture("x86_64", AUDIT_ARCH_X86_64, 0, has_x32=True)
AARCH64 = Architecture("aarch64", AUDIT_ARCH_AARCH64, 1, has_x32=False)
ARCHITECTURES = {
    "x86_64": X86_64,
    "amd64": X86_64,
    "aarch64": AARCH64,
    "arm64": AARCH64,
}

# The newest call that we have read the manual of. Anything later answers ENOSYS.
NEWEST_KNOWN = 462

# Calls that no notebook needs and that open a road to the host, to other
# processes or to parts of the kernel with a bad record. They answer EPERM.
DENIED: dict[str, tuple[int | None, int | None]] = {
    # mounts and roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    # namespaces
    "unshare": (272, 97),
    "setns": (308, 268),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    # keyrings outlive the run and are not in a namespace
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # large attack surface
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "memfd_secret": (447, 447),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "nfsservctl": (180, 42),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
}

# Calls of which only some arguments are refused.
FILTERED: dict[str, tuple[int, int]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "ioctl": (16, 29),
    "personality": (135, 92),
}


def denied_numbers(arch: Architecture) -> list[int]:
    """The numbers of the denied calls that ``arch`` has, ascending."""
    numbers = (row[arch.column] for row in DENIED.values())
    return sorted(number for number in numbers if number is not None)


def filtered_number(arch: Architecture, name: str) -> int:
    """The number of a partly refused call on ``arch``."""
    return FILTERED[name][arch.column]
