"""The catalogue of attacks: what a hostile notebook tries, and how each attempt must end.

A class of tests gets what the attempts met as ``seen``, by the name of the attack. Whoever
runs the cells is up to it: the kernel host alone, or the whole product.
"""

import signal

from tests.runner.kernelhost import attacks, attacks_on_limits

BATCH = (
    attacks.environment,
    attacks.status,
    attacks.processes,
    attacks.descriptors,
    attacks.tree,
    attacks.passwd,
    attacks.writes,
    attacks.network,
    attacks.families,
    attacks.abstract_socket,
    attacks.system_calls,
    attacks.nested_user_namespace,
    attacks.signals,
    attacks.set_uid_programs,
    attacks.kernel_files,
    attacks.terminal,
    attacks_on_limits.many_files,
    attacks_on_limits.full_disks,
    attacks_on_limits.connection_file,
    attacks_on_limits.installing,
    attacks_on_limits.identity,
    attacks_on_limits.thirty_two_bit_call,
    attacks_on_limits.leave_traces,
    attacks_on_limits.hostile_files,
    attacks_on_limits.side_channels,
    attacks_on_limits.planted_links,
)
ROOT_ENTRIES = {
    *("bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32"),
    *("opt", "proc", "root", "run", "sbin", "tmp", "usr"),
}
ALLOWED_NAMES = {
    *(
        "HOME",
        "USER",
        "LOGNAME",
        "PATH",
        "LANG",
        "TZ",
        "TMPDIR",
        "IPYTHONDIR",
        "PWD",
        "LC_CTYPE",
    ),
    *(
        "JUPYTER_RUNTIME_DIR",
        "MPLCONFIGDIR",
        "MPLBACKEND",
        "PYTHONSAFEPATH",
        "PYTHONNOUSERSITE",
    ),
    *("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
    # the same for every kernel: they name no login
    *("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLMODE", "PGGSSENCMODE"),
    *("PGCONNECT_TIMEOUT", "PGSERVICEFILE"),
    # set by ipykernel itself
    *(
        "PYDEVD_USE_FRAME_EVAL",
        "TERM",
        "CLICOLOR",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "PAGER",
        "GIT_PAGER",
    ),
}


class Catalogue:
    """Every attack of ``BATCH``, and what it must have met."""

    def test_k1_the_environment_holds_what_we_put_there_and_nothing_else(self, seen):
        assert set(seen["environment"]) <= ALLOWED_NAMES
        assert "canary-secret" not in seen["everything"]

    def test_k2_no_capability_no_new_privileges_a_filter_and_an_ordinary_user(
        self, seen
    ):
        status = seen["status"]
        assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {
            "0" * 16
        }
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert status["Uid"].split() == ["1000"] * 4

    def test_k3_only_its_own_processes_are_visible(self, seen):
        assert max(seen["processes"]["pids"]) < 100
        assert "canary" not in seen["processes"]["environ"]
        assert '"key"' not in seen["processes"]["cmdline"]

    def test_k4_no_descriptor_of_the_host_is_open(self, seen):
        own = (
            "pipe:",
            "socket:",
            "anon_inode:",
            "/dev/null",
            "/proc/",
            "/tmp/",
            "/home/kernel/",
            "/dev/ptmx",
        )
        assert [name for name in seen["descriptors"] if not name.startswith(own)] == []

    def test_k5_nothing_of_the_host_is_there(self, seen):
        tree = seen["tree"]
        assert set(tree["/"]) <= ROOT_ENTRIES
        allowed = {
            "alternatives",
            "fonts",
            "group",
            "hosts",
            "ld.so.cache",
            "localtime",
            "nsswitch.conf",
            "passwd",
            "ssl",
        }
        assert set(tree["/etc"]) <= allowed
        assert tree["/run"] == ["data", "kernel"]
        assert tree["/home"] == ["kernel"]
        for absent in ("/var", "/sys", "/work"):
            assert tree[absent] == "FileNotFoundError"
        assert tree["/root"] in ("FileNotFoundError", [".pyenv"], [".local"])
        assert seen["passwd"].count("\n") == 1

    def test_k6_nothing_can_be_written_that_would_last(self, seen):
        assert set(seen["writes"].values()) <= {
            "Read-only file system",
            "Permission denied",
            "No such file or directory",
        }

    def test_k7_there_is_no_network(self, seen):
        assert "connected" not in seen["network"].values()
        assert seen["network"]["dns"] == "gaierror"

    def test_k8_only_the_socket_families_that_kernels_need_exist(self, seen):
        answers = seen["families"]
        made = {name for name, answer in answers.items() if answer == "made"}
        assert made == {"1", "2", "10", "16"}
        assert answers["40"] == "EAFNOSUPPORT", "AF_VSOCK reaches the hypervisor"

    def test_k9_abstract_sockets_of_the_host_are_out_of_reach(self, seen):
        assert seen["abstract_socket"] == "Connection refused"

    def test_k12_to_k15_dangerous_system_calls_answer_an_error(self, seen):
        answers = dict(seen["system_calls"])
        assert answers.pop("clone3") == "ENOSYS"
        assert answers.pop("x32 getpid") == "ENOSYS"
        assert set(answers.values()) == {"EPERM"}, answers

    def test_k12_no_user_namespace_can_be_made(self, seen):
        assert seen["nested_user_namespace"] != 0

    def test_k13_no_process_of_the_host_can_be_signalled(self, seen):
        assert len(seen["signals"]) < 40

    def test_k16_set_uid_programs_have_no_effect(self, seen):
        assert seen["set_uid_programs"] == {"nosuid": True, "su": "", "uid": 1000}

    def test_k17_the_machine_cannot_be_read_or_steered(self, seen):
        refused = {
            "Read-only file system",
            "Permission denied",
            "No such file or directory",
            "Operation not permitted",
        }
        assert set(seen["kernel_files"].values()) <= refused, seen["kernel_files"]

    def test_k18_there_is_no_terminal_to_type_into(self, seen):
        assert seen["terminal"]["tty"] == "No such device or address"
        assert seen["terminal"]["stdin"] == "/dev/null"

    def test_k21_open_files_are_bounded(self, seen):
        error, count = seen["many_files"]
        assert error == "EMFILE"
        assert count < 1100

    def test_k22_k23_no_directory_can_fill_the_host(self, seen):
        for place, limit in {
            "/tmp": 256,
            "/home/kernel": 64,
            "/dev/shm": 64,
            "/run/kernel": 1,
        }.items():
            error, written = seen["full_disks"][place]
            assert error == "No space left on device"
            assert written <= limit * 1_048_576
        assert seen["full_disks"]["sparse"] == "File too large"

    def test_k24_links_planted_over_its_sockets_lead_nowhere(self, seen):
        # The cell after this one still ran: the host holds the sockets, not their names.
        assert {"k-1", "k-2", "k-5"} <= set(seen["planted_links"])

    def test_k25_files_meant_for_whoever_collects_results_stay_where_they_are(
        self, seen
    ):
        """Nobody does: results are messages. What is left to make is names in its own memory."""
        # The cells after this one still ran, and the host removed it all with the sandbox.
        for place, met in seen["hostile_files"].items():
            assert met.pop("hard link outwards") in ("EXDEV", "EPERM"), place
            devices = {met.pop(f"{kind} device") for kind in ("character", "block")}
            assert devices <= {"EPERM", "EACCES"}, place
            assert met.pop("privileges as an attribute") == "EPERM", place
            assert met.pop("attribute of the system") == "EPERM", (place, met)
            assert set(met.values()) == {"made"}, (place, met)

    def test_k42_nothing_says_where_memory_lies_or_shares_a_core(self, seen):
        met = seen["side_channels"]
        assert met.pop("where its memory lies") in (0, "EPERM", "EACCES")
        assert met.pop("where the kernel lies") == 0
        assert set(met.values()) <= {"absent", "EINVAL", "ENODEV", "EPERM", "ESRCH"}

    def test_k31_nothing_can_be_installed(self, seen):
        assert seen["installing"] != 0

    def test_k32_the_connection_file_is_private(self, seen):
        directory, file, owner = seen["connection_file"]
        assert (directory & 0o777, file & 0o777, owner) == (0o700, 0o600, 1000)

    def test_k40_names_of_the_host_do_not_show(self, seen):
        identity = seen["identity"]
        assert (identity["host"], identity["zone"], identity["cwd"]) == (
            "run",
            "UTC",
            "/home/kernel",
        )
        assert "countersign-kernelhost" not in identity["mounts"]

    def test_k41_a_32_bit_call_is_killed(self, seen):
        assert -seen["thirty_two_bit_call"] in (signal.SIGSYS, signal.SIGSEGV)
