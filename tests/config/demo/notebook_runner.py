"""Runs a notebook's cells in the Python of an environment and reports what became of each, as JSON.

Started with that Python and nothing of ours on its path; the notebook comes on standard input.
"""

import json
import sys

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
report = []
for source in json.load(sys.stdin):
    with capture_output() as captured:
        result = shell.run_cell(source)
    shown = [output.data.get("text/plain", "") for output in captured.outputs]
    error = result.error_in_exec or result.error_before_exec
    report.append(
        {
            "error": "" if error is None else f"{type(error).__name__}: {error}",
            "text": "\n".join([captured.stdout, repr(result.result), *shown]),
            "pictures": sum("image/png" in output.data for output in captured.outputs),
        }
    )
json.dump(report, sys.stdout)
