"""Takes the place of the template's loop, which it calls `usual`, in the benchmark's own template.

The template is the product's, warmed up by the product's code. What is ordered under the name
`BARE` is forked and started in the same way, and confined by nothing; everything else is
confined as ever.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import linux, usual
from .names import BARE
from .order import Order

KERNEL_DIR = Path("/run/kernel")


class TemplateOfBoth(usual.Template):
    """Forks with confinement and without, as each order says."""

    def _fork(self, descriptors: Sequence[int]) -> tuple[int, int]:
        # Bare ones share this directory: nobody may take the sockets of the last one for the next one's.
        for left in KERNEL_DIR.iterdir():
            left.unlink()
        text = os.pread(descriptors[0], usual.MAX_ORDER_BYTES, 0)
        order = Order.from_json(text)
        if order.hostname != BARE:
            return super()._fork(descriptors)
        pid = os.fork()
        if pid == 0:
            _become_kernel(order, descriptors)
        pidfd, init = os.pidfd_open(pid), os.pidfd_open(pid)
        self.children[pidfd] = pid, init
        return init, pidfd


def _become_kernel(order: Order, descriptors: Sequence[int]) -> None:
    """Never returns: what every fork does, less all that confines it."""
    code = 1
    try:
        _, output, release, _, *contents = descriptors
        usual._open_standard(output)
        if os.read(release, 1):
            for (target, mode), content in zip(order.files, contents, strict=True):
                text = os.pread(content, os.fstat(content).st_size, 0)
                file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
                os.write(file, text)
                os.close(file)
            os.chdir(order.chdir)
            os.closerange(usual.STDERR + 1, linux.highest_descriptor() + 1)
            code = usual._run(order.command)
    except BaseException as problem:
        usual._say(problem)
    finally:
        os._exit(code)


def main(descriptor: int) -> None:
    """The usual template, but for its loop."""
    usual.Template = TemplateOfBoth
    usual.main(descriptor)
