"""Checks of Python code for what a reviewed notebook should not need."""

import ast
from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding, Severity

_NETWORK = {
    "requests",
    "urllib",
    "urllib2",
    "urllib3",
    "http",
    "socket",
    "socketserver",
    "ssl",
    "aiohttp",
    "httpx",
    "ftplib",
    "smtplib",
    "poplib",
    "imaplib",
    "telnetlib",
    "websocket",
    "websockets",
    "paramiko",
    "boto3",
    "botocore",
    "pycurl",
    "grpc",
    "zmq",
    "xmlrpc",
}
_PROCESSES = {"subprocess", "pty", "multiprocessing", "pexpect", "sh", "plumbum"}
_NATIVE = {"ctypes", "cffi", "_ctypes"}
_PICKLES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
}

_MODULES: list[tuple[set[str], str, Severity, str]] = [
    (
        _NETWORK,
        "network",
        "warning",
        "“{}” is for the network, and runs have none; only the approved data source can be reached.",
    ),
    (
        _PROCESSES,
        "process",
        "warning",
        "“{}” starts other programs, whose doings the other checks cannot see.",
    ),
    (
        _NATIVE,
        "native_code",
        "warning",
        "“{}” calls machine code, past every rule of Python.",
    ),
    (
        _PICKLES,
        "pickle",
        "warning",
        "“{}” can run code that is hidden in the data it reads.",
    ),
]

_CALLS: dict[str, tuple[str, Severity, str]] = {
    **dict.fromkeys(
        ["exec", "eval", "builtins.exec", "builtins.eval", "execfile"],
        (
            "dynamic_code",
            "error",
            "This runs text as code. What it runs cannot be reviewed.",
        ),
    ),
    **dict.fromkeys(
        [
            "compile",
            "__import__",
            "importlib.import_module",
            "runpy.run_path",
            "runpy.run_module",
            "globals",
            "vars",
        ],
        (
            "dynamic_code",
            "warning",
            "This reaches code by name while running; check what it can reach.",
        ),
    ),
    **dict.fromkeys(
        ["input", "getpass.getpass", "builtins.input"],
        (
            "asks_for_input",
            "error",
            "This waits for someone to type, which stops a run. Make it a parameter.",
        ),
    ),
    **dict.fromkeys(
        [
            "os.system",
            "os.popen",
            "os.fork",
            "os.posix_spawn",
            "os.spawnl",
            "os.execv",
            "os.execl",
            "os.execvp",
        ],
        (
            "process",
            "warning",
            "This starts another program, whose doings the other checks cannot see.",
        ),
    ),
    **dict.fromkeys(
        ["os.getenv", "os.putenv"],
        (
            "environment",
            "warning",
            "This reads or sets environment variables. Make it a parameter.",
        ),
    ),
    **dict.fromkeys(
        ["IPython.display.Javascript", "IPython.core.display.Javascript"],
        (
            "markup",
            "warning",
            "This writes a script into the result. Results show no scripts.",
        ),
    ),
    **dict.fromkeys(
        ["IPython.display.IFrame", "IPython.display.HTML", "IPython.core.display.HTML"],
        (
            "markup",
            "info",
            "This writes its own HTML into the result; make sure that data in it is escaped.",
        ),
    ),
    **dict.fromkeys(
        [
            "pickle.load",
            "pickle.loads",
            "pandas.read_pickle",
            "joblib.load",
            "dill.load",
            "dill.loads",
            "marshal.loads",
        ],
        ("pickle", "error", "This runs whatever code is hidden in the data it reads."),
    ),
    **dict.fromkeys(
        [
            "get_ipython().system",
            "get_ipython().getoutput",
            "get_ipython().run_cell",
            "get_ipython().run_cell_magic",
        ],
        (
            "dynamic_code",
            "error",
            "This gives text to IPython to run. What it runs cannot be reviewed.",
        ),
    ),
    "get_ipython().run_line_magic": (
        "dynamic_code",
        "warning",
        "This runs an IPython command by name.",
    ),
}
_FILES = {
    "read_csv",
    "read_excel",
    "read_json",
    "read_parquet",
    "read_feather",
    "read_hdf",
    "read_table",
    "read_xml",
    "read_fwf",
}
_FILE_METHODS = {
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "to_csv",
    "to_excel",
    "to_parquet",
    "to_pickle",
    "to_feather",
    "to_json",
}


def check_calls(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield imports and calls of ``notebook`` that deserve a look."""
    for cell in notebook.cells:
        if cell.tree is None:
            continue
        for node in ast.walk(cell.tree):
            for code, severity, message in _about(node, notebook):
                yield Finding(
                    code, severity, message, cell.index, getattr(node, "lineno", None)
                )


def _about(
    node: ast.AST, notebook: CheckedNotebook
) -> Iterator[tuple[str, Severity, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _about_module(alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from _about_module(node.module)
    elif isinstance(node, ast.Call):
        yield from _about_call(node, notebook)
    elif isinstance(node, ast.Attribute | ast.Name) and notebook.dotted(node) in (
        "os.environ",
        "os.environb",
    ):
        yield (
            "environment",
            "warning",
            "This reads environment variables. Make it a parameter.",
        )
    elif isinstance(node, ast.Attribute) and node.attr in (
        "__subclasses__",
        "__globals__",
        "__builtins__",
    ):
        yield (
            "dynamic_code",
            "error",
            f"“{node.attr}” is a way around every rule of Python.",
        )


def _about_module(name: str) -> Iterator[tuple[str, Severity, str]]:
    top = name.partition(".")[0]
    for modules, code, severity, message in _MODULES:
        if top in modules and name != "urllib.parse":
            yield code, severity, message.format(name)


def _about_call(
    node: ast.Call, notebook: CheckedNotebook
) -> Iterator[tuple[str, Severity, str]]:
    name = notebook.dotted(node.func)
    if name in _CALLS:
        yield _CALLS[name]
    last = name.rpartition(".")[2]
    if (
        name in ("open", "io.open", "builtins.open")
        or last in _FILES
        or last in _FILE_METHODS
    ):
        if last == "to_json" and not node.args:
            return
        yield (
            "file",
            "warning",
            "This reads or writes a file. A run has none but its own, and they end with it.",
        )
    if (
        last == "connect"
        and name.startswith(("psycopg", "asyncpg", "pg8000"))
        and (node.args or node.keywords)
    ):
        message = "The data source gives each run its own connection. Connect without arguments."
        if (
            any(
                keyword.arg not in ("row_factory", "autocommit", "cursor_factory")
                for keyword in node.keywords
            )
            or node.args
        ):
            yield "own_connection", "warning", message
