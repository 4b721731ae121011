"""Each check sees what it is for, at its cell and line, and keeps quiet about ordinary notebooks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.findings import Finding, find
from tests.gallery.notebooks import code, markdown, notebook

PACKAGES = {
    "pandas",
    "matplotlib",
    "psycopg",
    "psycopg-binary",
    "numpy",
    "ipython",
    "python-dateutil",
}
BASH = {
    "kernelspec": {"name": "bash", "language": "bash"},
    "language_info": {"name": "bash"},
}


def look(
    *cells: dict[str, Any], manifest: dict[str, Any] | None = None, **metadata: Any
) -> list[Finding]:
    return find(
        notebook(*cells, **metadata), environment_packages=PACKAGES, manifest=manifest
    )


def codes(*cells: dict[str, Any], **metadata: Any) -> list[str]:
    return [finding.code for finding in look(*cells, **metadata)]


SEEN = [
    # Code from outside of what is reviewed.
    ("%run other.py", "runs_other_code", "error"),
    ("%load other.py", "runs_other_code", "error"),
    ("x = 1\n  %run other.py", "runs_other_code", "error"),
    ("!pip install x", "installs_packages", "error"),
    ("%pip install x", "installs_packages", "error"),
    ("%conda install x", "installs_packages", "error"),
    ("!ls", "shell", "warning"),
    ("!!ls", "shell", "warning"),
    ("files = !ls", "shell", "warning"),
    ("files = %sx ls", "shell", "warning"),
    ("%%bash\nls", "shell", "warning"),
    ("\n\n%%sh\nls", "shell", "warning"),
    ("%%writefile x.py\nprint(1)", "shell", "warning"),
    ("exec(open('x.py').read())", "dynamic_code", "error"),
    ("eval('1')", "dynamic_code", "error"),
    ("import builtins as b\nb.exec('1')", "dynamic_code", "error"),
    ("__import__('os')", "dynamic_code", "warning"),
    ("import importlib\nimportlib.import_module(x)", "dynamic_code", "warning"),
    ("get_ipython().system('ls')", "dynamic_code", "error"),
    (
        "from IPython import get_ipython as g\ng().run_cell('1')",
        "dynamic_code",
        "error",
    ),
    ("().__class__.__base__.__subclasses__()", "dynamic_code", "error"),
    # Out of the sandbox.
    ("import requests", "network", "warning"),
    ("from urllib import request", "network", "warning"),
    ("import urllib.request as r", "network", "warning"),
    ("import socket", "network", "warning"),
    ("import subprocess", "process", "warning"),
    ("import os as o\no.system('ls')", "process", "warning"),
    ("from os import popen\npopen('ls')", "process", "warning"),
    ("import ctypes", "native_code", "warning"),
    ("open('x')", "file", "warning"),
    ("import pandas as pd\npd.read_csv('x.csv')", "file", "warning"),
    ("frame.to_csv('x.csv')", "file", "warning"),
    ("from pathlib import Path\nPath('x').read_text()", "file", "warning"),
    ("import os\nos.environ['A']", "environment", "warning"),
    ("from os import environ\nx = environ", "environment", "warning"),
    ("import os\nos.getenv('A')", "environment", "warning"),
    ("%env A=1", "environment", "warning"),
    ("import pickle", "pickle", "warning"),
    ("import pandas as pd\npd.read_pickle('x')", "pickle", "error"),
    ("import psycopg\npsycopg.connect('host=other')", "own_connection", "warning"),
    ("import psycopg\npsycopg.connect(host='other')", "own_connection", "warning"),
    # What a run cannot do.
    ("input('name')", "asks_for_input", "error"),
    ("from getpass import getpass\ngetpass()", "asks_for_input", "error"),
    ("import sklearn", "missing_package", "error"),
    ("from . import helper", "missing_package", "error"),
    ("x = (", "syntax_error", "error"),
    ("print 'x'", "syntax_error", "error"),
    # Markup.
    ("%%html\n<script></script>", "markup", "warning"),
    ("%%javascript\nalert(1)", "markup", "warning"),
    ("from IPython.display import Javascript\nJavascript('1')", "markup", "warning"),
    ("%unknown_magic", "other_magic", "info"),
    (";shell words", "other_magic", "info"),
    # Secrets.
    ("password = 'hunter2'", "credential", "error"),
    ("connect(user='a', password=\"hunter2\")", "credential", "error"),
    ("config = {'api_key': 'abc123'}", "credential", "error"),
    ("url = 'postgresql://ada:hunter2@db/hospital'", "credential", "error"),
    ("dsn = 'host=db user=ada password=hunter2 dbname=x'", "credential", "error"),
    ("key = 'AKIAIOSFODNN7EXAMPLE'", "credential", "error"),
    ("key = '''-----BEGIN RSA PRIVATE KEY-----\n'''", "credential", "error"),
    # What cannot be seen.
    ("x = 1  # \u202e1 == x", "invisible_characters", "error"),
    ("x\u200b = 1", "invisible_characters", "warning"),
    ("# note \u2028import os", "invisible_characters", "error"),
    ("# note \x0cimport os", "invisible_characters", "error"),
    ("pаtient = 1", "lookalike_name", "error"),
    ("ｅval = 1", "lookalike_name", "error"),
    ("x = 1" + " " * 80 + "; import os", "long_line", "warning"),
]


@pytest.mark.parametrize(
    ("source", "code_", "severity"), SEEN, ids=[repr(case[0])[:40] for case in SEEN]
)
def test_a_check_sees_what_it_is_for(source, code_, severity):
    found = {finding.code: finding for finding in look(code(source))}
    assert code_ in found
    assert found[code_].severity == severity
    assert found[code_].cell == 0


QUIET = [
    "import pandas as pd\nimport psycopg\nconnection = psycopg.connect()\nframe = pd.DataFrame({'a': [1]})\nframe",
    "import datetime, math, statistics, decimal, re, json, collections\nfrom dateutil import parser",
    "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.plot([1, 2])\nplt.show()",
    "%%time\nsum(range(9))",
    "from urllib.parse import quote",
    "password = getpass_from_form()\ntoken_count = 5\nsecret_santa = None",
    "print('Select a ward from the list')",
    "'''Select the rows from the table, then delete from it.'''",
    "x = 'update of the ward'  # nothing to set",
    "rows = 10 % 3\nname = 'a' + 'b'\nmessage = f'{rows} rows'",
    "text = '''\n% done\n! important\n'''",
    "x = (5\n  % 3)",
    "connection = psycopg.connect(autocommit=True)",
    "connection.execute('SELECT mrn FROM clinic.patients WHERE name = %s', [name])",
]


@pytest.mark.parametrize("source", QUIET)
def test_an_ordinary_cell_has_no_findings(source):
    assert look(code(source)) == []


def test_a_finding_names_its_cell_and_line():
    (finding,) = look(
        markdown("# T"), code("x = 1\n\nimport requests_html_none"), code("y = x")
    )
    assert (finding.cell, finding.line) == (1, 3)


def test_findings_are_json_in_order_and_each_once():
    found = look(code("eval('1'); eval('2')\nimport socket"), code("import socket"))
    assert [(each.cell, each.line) for each in found] == sorted(
        (each.cell, each.line) for each in found
    )
    assert len(set(found)) == len(found)
    assert json.loads(json.dumps(found[0].as_dict())) == found[0].as_dict()


def test_the_message_about_a_secret_does_not_repeat_it():
    assert "hunter2" not in repr(
        look(code("password = 'hunter2'"), markdown("postgresql://a:hunter2@b"))
    )


def test_packages_are_not_checked_when_none_is_known():
    assert find(notebook(code("import sklearn")), environment_packages=set()) == []


@pytest.mark.parametrize("tag", ["remove-cell", "hide-input", "remove_input"])
def test_a_cell_hidden_by_a_tag_is_told(tag):
    assert codes(code("1", tags=[tag])) == ["hidden_cell"]


def test_a_cell_hidden_in_jupyter_is_told():
    assert codes(code("1", jupyter={"source_hidden": True})) == ["hidden_cell"]


def test_tags_are_told():
    assert codes(code("1", tags=["mystery"])) == ["unknown_tag"]
    assert codes(code("1", tags=["raises-exception"])) == ["raises_exception"]
    assert codes(code("1", tags=["skip-execution"])) == ["skipped_cell"]
    assert codes(code("1", tags=["injected-parameters"])) == ["injected_cell"]


def test_attachments_are_told():
    assert codes(markdown("x", attachments={"p.png": {}})) == ["attachments"]


def test_a_long_cell_is_told():
    assert codes(code("x = 1\n" * 300)) == ["long_cell"]


def test_parameters_should_come_first():
    parameters = code("a = 1", tags=["parameters"])
    assert codes(code("x = 1"), parameters, code("a")) == ["parameters_not_first"]
    assert codes(code("import os"), parameters, code("a")) == []


def test_parameters_that_only_live_pages_have_are_an_error():
    tags = ["parameters", "Live-Only"]
    found = look(code("a = 1", tags=tags), code("a"))
    assert [(each.code, each.severity, each.cell) for each in found] == [
        ("live_only_cell", "info", 0),
        ("live_only_parameters", "error", 0),
    ]


def test_a_second_parameters_cell_is_an_error():
    cell = code("a = 1", tags=["parameters"])
    assert codes(cell, cell, code("a")) == ["second_parameters_cell"]


def test_what_is_doubtful_about_parameters_is_told():
    (finding,) = look(code("a = None", tags=["parameters"]), code("a"))
    assert (finding.code, finding.severity, finding.cell) == ("parameters", "info", 0)
    assert codes(markdown("x", metadata={"tags": ["parameters"]})) == ["parameters"]


def test_code_beyond_what_can_be_checked_is_told():
    found = look(code("x = 1\n" * 60_000), code("eval(x)"))
    assert [each.cell for each in found if each.code == "not_checked"] == [0, 1]


def test_an_unused_parameter_is_told():
    parameters = code("a = 1\nb = 2", tags=["parameters"])
    (finding,) = look(parameters, code("print(a)"))
    assert finding.code == "unused_parameter"
    assert "“b”" in finding.message
    assert codes(parameters, code("print(f'{a} {b}')")) == []


def test_a_bidi_character_in_text_is_an_error_and_emoji_are_not():
    assert codes(markdown("a \u202e b")) == ["invisible_characters"]
    assert codes(markdown("👩\u200d⚕️ Zoë 患者")) == []


@pytest.mark.parametrize(
    ("source", "code_"),
    [
        ("curl http://x", "network"),
        ("x=$(wget -q x)", "network"),
        ("exec 3<>/dev/tcp/host/80", "network"),
        ("pip install x", "installs_packages"),
        ('eval "$x"', "dynamic_code"),
        ("source ./other.sh", "dynamic_code"),
        ("cat x | sh", "dynamic_code"),
        ("read answer", "asks_for_input"),
    ],
)
def test_shell_code_is_checked_in_bash_notebooks_and_shell_cells(source, code_):
    assert code_ in codes(code(source), **BASH)
    assert code_ in codes(code(f"%%bash\n{source}"))


def test_ordinary_shell_code_has_no_findings():
    source = "# curl is not used\nfor f in a b; do printf '%s\\n' \"$f\"; done\nward='x'\necho evaluated | sort"
    assert codes(code(source), **BASH) == []


@given(
    st.text(max_size=80), st.sampled_from([code, markdown]), st.sampled_from([{}, BASH])
)
def test_any_text_is_checked_without_an_error(source, make, metadata):
    look(make(source), **metadata)


@given(st.text("!%?=;/, \n()'\"\\x1\u2028", max_size=40))
def test_any_mixture_of_magics_is_checked_without_an_error(source):
    look(code(source))


def test_a_hostile_cell_is_checked_within_seconds():
    deep = code("x = " + "(" * 5_000 + ")" * 5_000)
    wide = code("password " + ":" * 100_000)
    long = code("SELECT " * 20_000)
    assert look(deep, wide, long)
