"""What notebooks of hospitals do besides: streams, displays, bundles, magics, errors, threads."""

from tests.runner.kernelhost.behaviours import (
    DISPLAY,
    SVG,
    Behaviour,
    markdown,
    tagged,
)

ASYNC_ERROR = "async def f():\n    raise ValueError('late')\n\nawait f()"
THREAD = (
    "import threading, time\n"
    "def late():\n    time.sleep(0.5)\n    print('late', flush=True)\n"
    "thread = threading.Thread(target=late)\nthread.start()\nprint('started')"
)

OTHERS = (
    Behaviour(
        "results: of None, of a value, of the last line only",
        ("None", "1\n2", "x = 3", "x;", "_", "'a\\nb'", "print", "[None]"),
    ),
    Behaviour("comments only", ("# nothing", "\n# nothing\n\n", "1")),
    Behaviour(
        "many small prints",
        ("for i in range(500): print(i)", "for i in range(500): print(i, end=' ')"),
    ),
    Behaviour(
        "prints with a flush each", ("for i in range(50): print(i, flush=True)",)
    ),
    Behaviour(
        "both streams in turns",
        (
            (
                "import sys\nfor i in range(3):\n    print('out', i, flush=True)\n"
                "    print('err', i, file=sys.stderr, flush=True)"
            ),
            "sys.stdout.write('no newline')",
            "print('', end='')",
        ),
    ),
    Behaviour(
        "a carriage return and a backspace stay as they are",
        (
            "import time\nfor i in range(4):\n    print(f'\\r{i * 25} %', end='', flush=True)",
            "print('abc\\b\\bX\\r\\nnext')",
        ),
    ),
    Behaviour(
        "output in the middle of a stream is cleared",
        (
            (
                f"{DISPLAY}\nprint('one', flush=True)\nclear_output()\nprint('two', flush=True)\n"
                "clear_output(wait=True)\nprint('three', flush=True)\ndisplay(4)\n5"
            ),
            (
                "import sys\nprint('a', flush=True)\nclear_output(wait=True)\n"
                "clear_output(wait=True)\nprint('b', file=sys.stderr, flush=True)"
            ),
            "display(1)\nclear_output(wait=True)",
            "print('the wait of the cell before is over')",
        ),
    ),
    Behaviour(
        "displays in a loop",
        (f"{DISPLAY}\nfor i in range(20): display(i)", "display(1, 'two', [3])"),
    ),
    Behaviour(
        "a display shown twice in one cell is updated in both places",
        (
            f"{DISPLAY}\nh = display('a', display_id='twice')\nprint('x')\nh.display('b')",
            "h.update('c')",
            "h.display('d')\nclear_output()\nh.update('e')",
        ),
    ),
    Behaviour(
        "a display shown again under its name changes the earlier one too",
        (
            f"{DISPLAY}\ndisplay('1', display_id='same')",
            "display('2', display_id='same', metadata={'of': 'the second'})",
            "clear_output(wait=True)\ndisplay('3', display_id='same')",
            (
                "a = display('4', display_id=True)\na.display('5')\n"
                "clear_output(wait=True)\na.display('6')"
            ),
        ),
    ),
    Behaviour(
        "every common kind of bundle",
        (
            "from IPython.display import *\nHTML('<b>bold</b>')",
            "Latex(r'$\\frac{1}{2}$')",
            "Math('x^2')",
            "Markdown('*so*')",
            "JSON({'a': [1, 2.5, None, True], 'b': {'c': 'd'}}, expanded=True)",
            "Javascript('1')",
            "GeoJSON({'type': 'Point', 'coordinates': [1, 2]})",
            (
                "display({'text/plain': 'p', 'text/html': '<i>h</i>', 'x/y': ['1']}, raw=True,"
                " metadata={'text/html': {'isolated': True}})"
            ),
            (
                "import io\nfrom PIL import Image as Picture\nstore = io.BytesIO()\n"
                "Picture.new('RGB', (2, 2), 'red').save(store, 'JPEG')\n"
                "Image(store.getvalue(), format='jpeg', height=5)"
            ),
            "Picture.new('L', (3, 3))",
            "display({}, raw=True)",
        ),
    ),
    Behaviour(
        "representations of one's own",
        (
            (
                "class Both:\n"
                "    def _repr_html_(self): return '<p>'\n"
                "    def _repr_mimebundle_(self, **kw): return {'application/x+json': {'c': 1}}, {'m': 2}\n"
                "    def __repr__(self): return 'both'\nBoth()"
            ),
            "class Shown:\n    def _ipython_display_(self): print('shown')\nShown()",
            "class Broken:\n    def __repr__(self): raise ValueError('no')\nBroken()",
        ),
        "failed",
    ),
    Behaviour(
        "tables and arrays",
        (
            (
                "import numpy as np, pandas as pd\n"
                "frame = pd.DataFrame({'a': [1, 2], 'b': ['x', None]})\nframe"
            ),
            "frame.describe()",
            "np.arange(300).reshape(20, 15) / 7",
            "frame['a']",
        ),
    ),
    Behaviour(
        "figures",
        (
            "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('é')",
            "fig, ax = plt.subplots(figsize=(2, 1))\nax.bar([1], [2])\nplt.show()\nprint('after')",
            (
                "%config InlineBackend.figure_formats = ['svg']\n"
                "%config InlineBackend.print_figure_kwargs = {'metadata': {'Date': None}}\n"
                "plt.rcParams['svg.hashsalt'] = 'x'\nplt.plot([1]);"
            ),
        ),
    ),
    Behaviour(
        "magics",
        (
            "%%capture caught\nprint('hidden')\n1",
            "caught.stdout",
            (
                "%%capture --no-stderr\nimport sys\nprint('hidden')\n"
                "print('seen', file=sys.stderr, flush=True)"
            ),
            "%%html\n<b>x</b>",
            "%%latex\n$x$",
            "%%javascript\n1",
            "%%svg\n" + SVG,
            "%%bash\necho from bash; echo to stderr >&2",
            "%who_ls",
            "%precision 2",
            "3.14159",
        ),
    ),
    Behaviour(
        "what other processes print",
        (
            # ipykernel reads its descriptors in a thread: without the sleep, the order is chance.
            (
                "import os, subprocess, time\n"
                "code = subprocess.run(['echo', 'from a process']).returncode\ntime.sleep(0.3)"
            ),
            "code",
            "!echo by a bang",
            "lines = !printf 'a\\nb\\n'\nlines",
            "os.write(1, b'by descriptor\\n')\ntime.sleep(0.3)",
            "code = os.system('echo by the shell')\ntime.sleep(0.3)",
        ),
    ),
    Behaviour(
        "an error after some output",
        (
            f"{DISPLAY}\nprint('partial', flush=True)\ndisplay('shown')\nraise RuntimeError('end')",
            "print('never')",
        ),
        "failed",
    ),
    Behaviour(
        "errors of every shape",
        (
            tagged(
                "def f():\n    return g()\ndef g():\n    return {}['k']\nf()",
                "raises-exception",
            ),
            tagged(
                "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e",
                "raises-exception",
            ),
            tagged(
                "raise ExceptionGroup('g', [ValueError(1), KeyError(2)])",
                "raises-exception",
            ),
            tagged(
                "class E(Exception):\n    def __str__(self): return 'é\\n' * 3\nraise E",
                "raises-exception",
            ),
            tagged("import sys\nsys.exit(3)", "raises-exception"),
            tagged("raise KeyboardInterrupt", "raises-exception"),
            tagged("  indented\nwrong", "raises-exception"),
            tagged("%nonsense", "raises-exception"),
            tagged("import json\njson.loads('{')", "raises-exception"),
            tagged("assert 1 == 2, 'sum'", "raises-exception"),
        ),
    ),
    Behaviour("an error in async code", (ASYNC_ERROR,), "failed"),
    Behaviour(
        "async code",
        (
            "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
            "await asyncio.gather(*(asyncio.sleep(0, n) for n in range(3)))",
        ),
    ),
    Behaviour(
        "a thread that prints in its cell",
        (
            "import threading\nt = threading.Thread(target=print, args=['in time'])\nt.start(); t.join()",
        ),
    ),
    Behaviour(
        "a thread that prints after its cell",
        (THREAD, "thread.join()\nprint('joined')", "print('next')"),
    ),
    Behaviour(
        "warnings and logs",
        (
            "import warnings\nwarnings.warn('careful')",
            "import logging\nlogging.warning('logged')",
            "warnings.warn('old', DeprecationWarning)",
        ),
    ),
    Behaviour(
        "numbers of cells that no output has",
        (markdown("text"), "", "1", tagged("2", "skip-execution"), "# c", "3"),
    ),
    Behaviour(
        "a large output", ("print('x' * 300_000)", "'y' * 100_000", "list(range(5000))")
    ),
    Behaviour("help and its pager", ("len?", "help(len)", "len??", "print(1)")),
)
