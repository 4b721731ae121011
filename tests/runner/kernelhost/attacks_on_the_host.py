"""Cells that try to take the machine along: each needs a run of its own."""

DAEMON = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        for n in range(3, 256):\n"
    "            try: os.close(n)\n"
    "            except OSError: pass\n"
    "        os.execvp('sleep', ['sleep', '{marker}'])\n"
    "    os._exit(0)\n"
    "time.sleep({seconds})"
)
FORK_BOMB = (
    "import os, time\n"
    "pids = []\n"
    "try:\n"
    "    while True:\n"
    "        pid = os.fork()\n"
    "        if pid == 0:\n"
    "            time.sleep(30)\n"
    "            os._exit(0)\n"
    "        pids.append(pid)\n"
    "except OSError as e:\n"
    "    print(type(e).__name__, len(pids))\n"
    "for pid in pids: os.kill(pid, 9)"
)
SHARED_MEMORY = (
    "import os\n"
    "for _ in range(4):\n"
    "    if os.fork() == 0:\n"
    "        b = bytearray(150 * 1024 * 1024)\n"
    "        os._exit(0)\n"
    "codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)]\n"
    "import mmap\n"
    "m = mmap.mmap(-1, 2 * 1024**3)\n"
    "for i in range(0, 2 * 1024**3, 4096): m[i] = 1"
)
IGNORES_SIGNALS = (
    "import signal\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "while True: pass"
)
FLOOD = "import time\nwhile True:\n    print('x' * 10_000)\n    time.sleep(0.001)"
KILLS_ITS_PARENT = (
    "import os, signal\n"
    "for pid in {1, os.getppid()} - {0}:\n"
    "    try: os.kill(pid, signal.SIGKILL)\n"
    "    except OSError as error: print(error.strerror)"
)
#: Empty files count too: each costs memory of the machine, though none of its size.
MANY_FILES = (
    "import os\n"
    "os.mkdir('/tmp/results')\n"
    "for number in range(1_000_000):\n"
    "    os.mknod(f'/tmp/results/{number}')\n"
    "print('made them all')"
)
