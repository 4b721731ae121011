"""Runs notebooks' cells in the Python of an environment and reports what became of each, as JSON.

Started with that Python and nothing of ours on its path; the notebooks come on standard input as lists of
sources. Each begins in an empty namespace.
"""

import json
import sys

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


def run(shell, source):
    """Run one cell."""
    with capture_output() as captured:
        result = shell.run_cell(source)
    shown = [output.data.get("text/plain", "") for output in captured.outputs]
    error = result.error_in_exec or result.error_before_exec
    return {
        "error": "" if error is None else f"{type(error).__name__}: {error}",
        "text": "\n".join([captured.stdout, repr(result.result), *shown]),
        "pictures": sum("image/png" in output.data for output in captured.outputs),
    }


def main():
    """Run every notebook."""
    shell = InteractiveShell.instance()
    report = []
    for sources in json.load(sys.stdin):
        shell.reset(new_session=False)
        report.append([run(shell, source) for source in sources])
    json.dump(report, sys.stdout)


main()
