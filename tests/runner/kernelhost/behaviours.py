"""Small notebooks, each of one behaviour that people know from other tools.

They say again, in our own cells, what nbclient's own test notebooks exercise; ``after`` names
the notebook. What else notebooks do is in ``more_behaviours``.
"""

from dataclasses import dataclass
from typing import Any

Cell = str | dict[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """A notebook, how it ends, and what nbclient calls its like."""

    name: str
    cells: tuple[Cell, ...]
    ends: str = "succeeded"
    after: str = ""
    #: A limit for each cell, when the time is what it is about.
    cell_s: int | None = None
    #: Its stock kernel can serve no other notebook.
    ends_its_kernel: bool = False


def tagged(source: str, *tags: str) -> Cell:
    """A code cell with tags."""
    return {"source": source, "metadata": {"tags": list(tags)}}


def markdown(source: str) -> Cell:
    """A cell of text, which has no outputs."""
    return {"cell_type": "markdown", "source": source}


DISPLAY = "from IPython.display import display, clear_output"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9"><circle r="4"/></svg>'

AS_NBCLIENT_TESTS = (
    Behaviour("a greeting", ("print('Hello World')",), after="HelloWorld"),
    Behaviour(
        "a computation",
        (
            "i, j = 1, 1",
            "for m in range(10):\n    i, j = j, i + j\n    print(j)",
            "j",
        ),
        after="Factorials",
    ),
    Behaviour(
        "text beyond ASCII", ("print('☃ ünïcødé \\U0001F3E5')",), after="Unicode"
    ),
    Behaviour(
        "names and values beyond ASCII",
        ("größe = '☃ 病院'\ngröße", "print('\\u202e\\u0301', 'a\\x00b\\x1b[31mred')"),
        after="UnicodePy3",
    ),
    Behaviour(
        "an empty cell and one of blanks",
        ("1", "", "  \n\t\n", "2", markdown("# text")),
        after="Empty Cell",
    ),
    Behaviour(
        "clear output",
        (
            f"{DISPLAY}\nfor i in range(5):\n    clear_output()\n    print(i)",
            "print('gone')\nclear_output()",
            "print('stays, for nothing follows')\nclear_output(wait=True)",
            "print('gone')\nclear_output(wait=True)\nprint('instead')",
            "handle = display('first', display_id='one')",
            (
                "two = display('second', display_id='two')\nclear_output()\n"
                "two.update('an update of what is gone')\nprint('after')"
            ),
            "handle.update('changed from below')",
            (
                "three = display('third', display_id='three')\nclear_output(wait=True)\n"
                "three.update('updated before it goes')\ndisplay('fourth')"
            ),
            "three.update('nowhere')\nthree.display('here')\nthree.update('again somewhere')",
        ),
        after="Clear Output",
    ),
    Behaviour(
        "displays updated in the same and in later cells",
        (
            f"{DISPLAY}\nh = display('1', display_id='same')\nprint('between')",
            "h.update('2')\ndisplay('elsewhere', display_id='other')",
            "display('3', display_id='same')",
            "display('4', display_id='same', metadata={'of': 'the fourth'})",
            (
                "display({'text/html': '<b>5</b>', 'text/plain': '5'}, raw=True,"
                " display_id='same', update=True)"
            ),
            "display('unknown', display_id='unseen', update=True)",
        ),
        after="update-display-id",
    ),
    Behaviour(
        "no input",
        ("try:\n    input('name? ')\nexcept Exception as e:\n    print(repr(e))",),
        after="Disable Stdin",
    ),
    Behaviour("a cell that asks", ("input('name? ')",), "failed", after="InputRequest"),
    Behaviour(
        "a password that is asked for",
        ("import getpass\ngetpass.getpass()",),
        "failed",
        after="InputRequest",
    ),
    Behaviour(
        "an error", ("x = 0", "1 / x", "print('never')"), "failed", after="Error"
    ),
    Behaviour(
        "an error that its tag allows",
        (
            tagged("# üñîçø∂é\nraise Exception('message')", "raises-exception"),
            tagged(
                "import sys\nprint('hello', flush=True)\n"
                "print('errorred', file=sys.stderr, flush=True)\n1 / 0",
                "raises-exception",
            ),
            "print('ok')",
        ),
        after="Skip Exceptions with Cell Tags",
    ),
    Behaviour(
        "several errors that tags allow",
        (
            tagged("raise Exception('message')", "raises-exception"),
            tagged("raise KeyError('\u00e9')", "raises-exception", "other"),
            tagged("1 +", "raises-exception"),
            "print('ok')",
        ),
        after="Skip Exceptions",
    ),
    Behaviour(
        "a cell that its tag skips",
        ("print('a')", tagged("print('skipped')", "skip-execution"), "print('b')"),
        after="Skip Execution with Cell Tag",
    ),
    Behaviour(
        "a picture in the page",
        (
            f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode('{PNG}'))",
            f"Image(base64.b64decode('{PNG}'), width=20, metadata={{'alt': 'dot'}})",
        ),
        after="Inline Image",
    ),
    Behaviour(
        "a drawing",
        (f"from IPython.display import SVG\nSVG('''{SVG}''')",),
        after="SVG",
    ),
    Behaviour(
        "widgets shown",
        (
            "import ipywidgets\nipywidgets.IntSlider(value=3)",
            "ipywidgets.Label('words')",
        ),
        after="JupyterWidgets",
    ),
    Behaviour(
        "a comm that nobody answers",
        (
            (
                "from comm import create_comm\n"
                "create_comm(target_name='other', data={'a': 1}).send({'b': 2})\nprint('sent')"
            ),
        ),
        after="Other Comms",
    ),
    Behaviour(
        "history in memory",
        ("1 + 1", "In[1], len(In), Out, _1", "%history -n"),
        after="Check History in Memory",
    ),
    Behaviour(
        "some sleep",
        ("import time\ntime.sleep(0.4)\nprint('awake')",),
        after="Sleep1s",
    ),
    Behaviour(
        "a cell beyond its time",
        (
            "print('before')",
            "print('begun', flush=True)\nwhile True:\n    continue",
            "1",
        ),
        "timed_out",
        after="Interrupt",
        cell_s=1,
        ends_its_kernel=True,
    ),
    Behaviour(
        "a kernel that ends itself",
        (
            "print('before')",
            # What it said of the cell is on its way before it ends.
            "import os, signal, time\ntime.sleep(1)\nos.kill(os.getpid(), signal.SIGKILL)",
            "print('never')",
        ),
        "kernel_died",
        after="Autokill",
        ends_its_kernel=True,
    ),
)
