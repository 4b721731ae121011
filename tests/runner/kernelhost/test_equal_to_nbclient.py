"""A notebook gives what it gives anywhere else: outputs and counts equal stock nbclient's.

Each notebook of ``behaviours`` and ``more_behaviours`` is executed twice, by ``nbclient.NotebookClient`` on a stock
kernel of the same environment and by the kernel host, and compared cell by cell, byte by byte.
``SAME_BUT`` is all that is levelled before; what differs on purpose has tests of its own below.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest

from runner.live.mirror import STATE_MIME
from tests.runner.kernelhost.behaviours import AS_NBCLIENT_TESTS, Behaviour, tagged
from tests.runner.kernelhost.harness import KernelHost, Outcome
from tests.runner.kernelhost.more_behaviours import OTHERS
from tests.runner.kernelhost.stock import PREFIX, Ended, Stock

#: The test notebooks of nbclient, by name.
NBCLIENT_TESTS = {
    *("Autokill", "Check History in Memory", "Clear Output", "Disable Stdin"),
    *("Empty Cell", "Error", "Factorials", "HelloWorld", "Inline Image"),
    *("InputRequest", "Interrupt", "JupyterWidgets", "Other Comms"),
    *("Parallel Execute A", "Parallel Execute B", "SVG", "Skip Exceptions"),
    *("Skip Exceptions with Cell Tags", "Skip Execution with Cell Tag", "Sleep1s"),
    *("Unicode", "UnicodePy3", "update-display-id", "Output"),
}


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs in which consecutive chunks of one stream are one."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        is_stream = output["output_type"] == "stream"
        if is_stream and found and found[-1].get("name") == output["name"]:
            found[-1]["text"] += output["text"]
        else:
            found.append(dict(output))
    return found


Rule = tuple[str, Callable[[str], str]]
#: What differs between any two kernels, or by where they stand; why, and how it is levelled.
SAME_BUT: tuple[Rule, ...] = (
    (
        "an address in memory is another in every process",
        lambda text: re.sub(r"0x[0-9a-f]{6,}", "0xADDRESS", text),
    ),
    (
        "ipykernel names a cell's source after its process",
        lambda text: re.sub(r"/tmp/ipykernel_\d+/", "/tmp/ipykernel_N/", text),
    ),
    (
        "a widget's name is drawn by lot",
        lambda text: re.sub(r'"model_id": "\w+"', '"model_id": "LOT"', text),
    ),
    (
        "packages lie under /opt/environment in the sandbox",
        lambda text: text.replace(str(PREFIX), "/opt/environment"),
    ),
)


def levelled(cells: list[dict[str, Any]]) -> Any:
    """Counts and outputs of cells, without what no two kernels share."""
    compared = [
        {
            "count": cell.get("execution_count"),
            # The host stores consecutive chunks as one; where a chunk ends is chance.
            "outputs": joined(cell.get("outputs", [])),
        }
        for cell in cells
    ]
    text = json.dumps(compared, sort_keys=True)
    for _reason, level in SAME_BUT:
        text = level(text)
    return json.loads(text)


def held(outcome: Outcome, model: str) -> list[dict[str, Any]]:
    """The states of a run's widgets of one model, as its notebook keeps them."""
    saved = outcome.last["notebook"]["metadata"]["widgets"][STATE_MIME]["state"]
    return [each["state"] for each in saved.values() if each["model_name"] == model]


def stream(text: str) -> dict[str, Any]:
    """What a cell printed."""
    return {"output_type": "stream", "name": "stdout", "text": text}


@pytest.fixture(scope="module")
def stock(environments, tmp_path_factory) -> Iterator[Stock]:
    """Stock nbclient with its kernel."""
    with Stock(tmp_path_factory.mktemp("stock")) as running:
        yield running


@pytest.fixture
def both(
    stock: Stock, forking_host: KernelHost
) -> Callable[[Behaviour], tuple[Outcome, Ended]]:
    """Executes a notebook by the kernel host and by stock nbclient, at the same time."""

    def execute(behaviour: Behaviour) -> tuple[Outcome, Ended]:
        theirs = stock.run(behaviour)
        limits = {"cell_s": behaviour.cell_s} if behaviour.cell_s else {}
        ours = forking_host.run(*behaviour.cells, limits=limits)
        return ours, theirs.result(180)

    return execute


@pytest.mark.parametrize(
    "behaviour", [*AS_NBCLIENT_TESTS, *OTHERS], ids=lambda behaviour: behaviour.name
)
def test_a_notebook_gives_what_stock_nbclient_gives(behaviour: Behaviour, both) -> None:
    ours, theirs = both(behaviour)
    assert (ours.status, theirs.status) == (behaviour.ends, behaviour.ends)
    cells = ours.last["notebook"]["cells"]
    for mine, stocks in zip(levelled(cells), levelled(theirs.cells), strict=True):
        assert mine == stocks
    outputs = [cell.get("outputs", []) for cell in cells]
    assert outputs == [joined(each) for each in outputs]
    nbformat.validate(nbformat.from_dict(ours.last["notebook"]))


def test_every_notebook_that_nbclient_tests_itself_with_has_its_like_here() -> None:
    own_tests = {
        "Parallel Execute A": test_two_notebooks_at_once_do_not_meet,
        "Parallel Execute B": test_two_notebooks_at_once_do_not_meet,
        "Output": test_what_an_output_widget_catches_is_its_own,
    }
    named = {behaviour.after for behaviour in AS_NBCLIENT_TESTS}
    assert named | own_tests.keys() == NBCLIENT_TESTS


# What differs on purpose -----------------------------------------------------------------


def test_two_notebooks_at_once_do_not_meet(forking_host: KernelHost) -> None:
    """nbclient's two wait for each other's file; runs here share no folder."""
    look = "import os, time\nopen('/tmp/of-{0}', 'w').close()\ntime.sleep(0.5)\n"
    look += "print('{0}', sorted(n for n in os.listdir('/tmp') if n.startswith('of-')))"
    sessions = [forking_host.session(look.format(name)) for name in "AB"]
    texts = []
    for session in sessions:
        with session:
            last = [event for event in session.events() if event][-1]
            texts.append(last["notebook"]["cells"][0]["outputs"][0]["text"])
    assert texts == ["A ['of-A']\n", "B ['of-B']\n"]


OUTPUT_WIDGET = Behaviour(
    "an output widget",
    (
        "import ipywidgets\nout = ipywidgets.Output()\nout",
        "with out:\n    print('caught')\nprint('free')",
        "with out:\n    display(ipywidgets.IntSlider(7))\n    1 / 0\n",
        "out.clear_output(wait=True)\nwith out:\n    print('anew')",
    ),
)


def test_what_an_output_widget_catches_is_its_own(both) -> None:
    """nbclient tells the kernel too, with which a run that nobody looks at has nothing to do."""
    ours, theirs = both(OUTPUT_WIDGET)
    assert levelled(ours.last["notebook"]["cells"]) == levelled(theirs.cells)
    (out,) = held(ours, "OutputModel")
    assert out["outputs"] == [stream("anew\n")]
    (slider,) = held(ours, "IntSliderModel")
    assert slider["value"] == 7


STALE = [stream("of another run")]


def test_a_cell_that_did_not_run_shows_nothing(both) -> None:
    """nbclient keeps what an earlier execution left; here it would pass for this person's."""
    cells = (
        {**tagged("print(1)", "skip-execution"), "outputs": STALE},
        {"source": " ", "outputs": STALE, "execution_count": 7},
    )
    ours, theirs = both(Behaviour("stale outputs", cells))
    for cell, stocks in zip(ours.last["notebook"]["cells"], theirs.cells, strict=True):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        assert stocks["outputs"] == STALE


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ("{'text/plain': 5}", {"text/plain": "5"}),
        ("{'a/b': {'c': [1]}}", {"a/b": '{"c": [1]}'}),
    ],
)
def test_what_no_notebook_may_hold_is_made_into_text(
    forking_host: KernelHost, data: str, kept: dict[str, Any]
) -> None:
    """nbclient ends with an error of its own, which loses the notebook."""
    source = f"from IPython.display import display\ndisplay({data}, raw=True)"
    outcome = forking_host.run(source)
    assert outcome.outputs()[0]["data"] == kept
    nbformat.validate(nbformat.from_dict(outcome.last["notebook"]))
