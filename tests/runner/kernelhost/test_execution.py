"""Notebooks through a real kernel host: what comes back, and in which words."""

import base64

import pytest

from runner.kernelhost import client
from runner.kernelhost.confinement import FURTHER_LAYERS
from tests.runner.kernelhost.harness import ForkingHost


@pytest.fixture(scope="module", params=["exec", "fork"])
def host(request, executing_host, forking_host):
    """A host of each launcher."""
    return executing_host if request.param == "exec" else forking_host


def test_a_python_notebook_runs_and_returns_its_outputs(host):
    outcome = host.run(
        "x = 20 + 22\nprint('before')\nx",
        {"cell_type": "markdown", "source": "# text"},
        {"source": "undefined_name", "metadata": {"tags": ["skip-execution"]}},
        {"source": "undefined_name", "metadata": {"tags": ["live-only"]}},
        "from IPython.display import display\nd = display('old', display_id=True)",
        "d.update('new')",
        "import sys\nfor i in range(3): print(i)\nprint('e', file=sys.stderr)",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
    )
    assert outcome.status == "succeeded", outcome.last
    assert outcome.error is None
    cells = outcome.last["notebook"]["cells"]
    assert [output["output_type"] for output in cells[0]["outputs"]] == [
        "stream",
        "execute_result",
    ]
    assert outcome.text(0) == "before\n42"
    assert cells[2]["outputs"] == cells[3]["outputs"] == []
    assert outcome.text(4) == "'new'"
    assert [output["name"] for output in cells[6]["outputs"]] == ["stdout", "stderr"]
    assert outcome.outputs(6)[0]["text"] == "0\n1\n2\n"
    image = next(
        output["data"]["image/png"]
        for output in cells[7]["outputs"]
        if "image/png" in output["data"]
    )
    assert base64.b64decode(image).startswith(b"\x89PNG")
    assert cells[0]["execution_count"] == 1


def test_events_tell_the_story_in_order(host):
    outcome = host.run("print('a')", "2")
    kinds = [
        event["event"] for event in outcome.events if event["event"] != "heartbeat"
    ]
    assert kinds == [
        *["accepted", "ready"],
        *["cell_started", "output", "cell_finished"],
        *["cell_started", "output", "cell_finished"],
        "finished",
    ]
    evidence = outcome.of("accepted")[0]["evidence"]
    assert evidence["launcher"] == ("fork" if isinstance(host, ForkingHost) else "exec")
    assert evidence["degraded"] is False
    assert {name for name, holds in evidence["layers"].items() if not holds} <= set(
        FURTHER_LAYERS
    )
    assert {event["status"] for event in outcome.of("cell_finished")} == {"ok"}
    assert all(event["duration_ms"] >= 0 for event in outcome.of("cell_finished"))


def test_the_first_failing_cell_stops_the_run_and_is_named(host):
    outcome = host.run("a = 1", "def f():\n    return 1 / 0\n\nf()", "print('never')")
    assert outcome.status == "failed"
    assert outcome.error["code"] == "notebook_error"
    assert (outcome.error["cell"], outcome.error["line"]) == (1, 4)
    assert outcome.error["exception"] == "ZeroDivisionError"
    assert "zero" not in outcome.error["message"]
    assert outcome.error["exception_message"] == "division by zero"
    assert outcome.outputs(1)[-1]["output_type"] == "error"
    assert outcome.outputs(2) == []


def test_a_line_is_found_in_a_syntax_error_too(host):
    outcome = host.run("a = 1\nb = (")
    assert (outcome.error["exception"], outcome.error["line"]) == ("SyntaxError", 2)
    assert outcome.of("cell_finished")[0]["status"] == "error"


def test_a_cell_that_says_so_may_raise(host):
    outcome = host.run(
        {"source": "1 / 0", "metadata": {"tags": ["raises-exception"]}}, "print('on')"
    )
    assert outcome.status == "succeeded"
    assert outcome.outputs(0)[0]["ename"] == "ZeroDivisionError"
    assert outcome.text(1) == "on\n"


def test_a_bash_notebook_runs(host):
    outcome = host.bash("echo from bash; x=5", "echo $x; id -u", "false", "echo never")
    assert outcome.text(0) == "from bash\n"
    assert outcome.text(1) == "5\n1000\n"
    assert outcome.status == "failed"
    assert outcome.error["cell"] == 2


def test_a_kernel_of_another_environment_is_not_found(host):
    for environment, kernel in [
        ("python-analytics", "bash"),
        ("nowhere", "python3"),
        ("..", "python3"),
    ]:
        outcome = host.run("1", environment=environment, kernel_name=kernel)
        assert outcome.last["event"] == "refused"
        assert outcome.status == "unknown_environment"


def test_a_bad_request_is_refused_in_words(host):
    outcome = host.run("1", limits={"processes": 1})
    assert outcome.status == "bad_request"
    assert "processes" in outcome.last["message"]


def test_status_lists_every_layer(host):
    status = client.status(host.socket)
    assert status["ok"] is True
    assert status["degraded"] is False
    assert {"seccomp", "network", "uid_per_run", "cgroup"} <= status["layers"].keys()


def test_a_cell_may_not_ask_for_input(host):
    outcome = host.run("input('who? ')")
    assert outcome.error["exception"] == "StdinNotImplementedError"
    assert outcome.seconds < 20


def test_exit_ends_neither_the_kernel_nor_the_run_silently(host):
    outcome = host.run("import sys\nsys.exit(3)")
    assert (outcome.status, outcome.error["exception"]) == ("failed", "SystemExit")


def test_widgets_are_bounded(host):
    outcome = host.run(
        "from ipykernel.comm import Comm\n"
        "for i in range(200):\n"
        "    Comm(target_name='jupyter.widget', data={'state': {'x': 'y' * 10000}})\n"
        "print('done')",
        limits={"output_bytes": 1_000_000},
    )
    assert outcome.status == "succeeded"
    assert "widgets" not in outcome.last["notebook"]["metadata"]
    assert {output["output_type"] for output in outcome.outputs()} == {"stream"}
    assert "done" in outcome.text()


NAN = """
from IPython.display import display
display({'application/json': {'a': float('nan')}}, raw=True)
"""
DEEP = """
from IPython.display import display
value = 1
for _ in range(500):
    value = [value]
display({'application/json': value, 'text/plain': 'deep'}, raw=True)
"""


@pytest.mark.parametrize(
    "source", ["print('\\ud800')", NAN, DEEP], ids=["surrogate", "nan", "deep"]
)
def test_strange_json_does_not_hurt_the_host(host, source):
    outcome = host.run(source, "print('alive')")
    assert outcome.text(1) == "alive\n"


def test_forged_messages_do_not_reach_other_cells(host):
    """The kernel owns its key and may sign anything; K29."""
    outcome = host.run(
        "k = get_ipython().kernel\n"
        "s, sock = k.session, k.iopub_socket\n"
        "parent = dict(k.get_parent())\n"
        "foreign = {'header': {'msg_id': 'not-yours', 'msg_type': 'execute_request', 'session': 'x', 'username': 'x', 'date': parent['header']['date'], 'version': '5.3'}}\n"
        "s.send(sock, 'stream', {'name': 'stdout', 'text': 'forged'}, parent=foreign['header'])\n"
        "s.send(sock, 'execute_result', {'data': {'text/plain': '1'}, 'metadata': {}, 'execution_count': 10**40}, parent=parent)\n"
        "s.send(sock, 'status', {'execution_state': ['idle']}, parent=parent)\n"
        "s.send(sock, 'display_data', {'data': 5, 'transient': 7, 'metadata': []}, parent=parent)\n"
        "sock.send_multipart([b'x', b'<IDS|MSG>', b'bad-signature', b'{', b'{}', b'{}', b'{}'])\n"
        "sock.send_multipart([b'nothing'])\n"
        "print('through')",
        "print('next')",
    )
    assert outcome.status == "succeeded", outcome.last
    assert "forged" not in outcome.text(0)
    assert "through" in outcome.text(0)
    assert outcome.text(1) == "next\n"


def test_runs_at_the_same_time_do_not_mix(host):
    sessions = [
        host.session(f"import time\ntime.sleep(0.5)\nprint('run {n}')")
        for n in range(3)
    ]
    texts = []
    for session in sessions:
        with session:
            last = [event for event in session.events() if event][-1]
            texts.append(last["notebook"]["cells"][0]["outputs"][0]["text"])
    assert texts == ["run 0\n", "run 1\n", "run 2\n"]


@pytest.mark.security
def test_other_packages_than_the_approved_ones_run_nothing(host):
    outcome = host.run("print('ran')", environment_lock_sha256="0" * 64)
    assert outcome.status == "environment_differs"
    assert not outcome.of("cell_started")
