"""Events in words: every action that is recorded anywhere has its sentence."""

import ast
import re
from pathlib import Path

import pytest

from audit.models import Event
from audit.presenters import REGISTRY, sentence
from gallery.workflow import TRANSITIONS as VERSION_TRANSITIONS
from runner.workflow import TRANSITIONS as RUN_TRANSITIONS

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "audit", "gallery", "reviews", "runner", "config")
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
RECORDERS = {"record", "record_refusal", "move", "note_lease", "_record_move"}


def event(action: str, **more) -> Event:
    fields = {
        "seq": 1,
        "actor": "carol",
        "actor_name": "Carol Chen",
        "action": action,
        "target_type": "gallery.version",
        "target_id": "3",
        "target_label": "Prescription trends v3",
        "data": {},
    }
    return Event(**{**fields, **more})


def named_actions(path: Path) -> set[str]:
    """Actions given to what records them, or kept in a variable called `action`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    places = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and _name(node.func) in RECORDERS)
        or (isinstance(node, ast.Assign) and _name(node.targets[0]) == "action")
        or (isinstance(node, ast.keyword) and node.arg == "action")
    ]
    constants = {
        _name(node.targets[0]): node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
    }
    parts = [
        constants.get(_name(part), part) for place in places for part in ast.walk(place)
    ]
    return {
        part.value
        for part in parts
        if isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and ACTION.fullmatch(part.value)
    }


def _name(node: ast.AST) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def recorded_actions() -> set[str]:
    """Every action named in the code, and those that moves make from a status."""
    named = {
        action
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for action in named_actions(path)
    }
    reached = {f"version.{to}" for tos in VERSION_TRANSITIONS.values() for to in tos}
    reached |= {f"run.{to}" for tos in RUN_TRANSITIONS.values() for to in tos}
    return (named | reached) - {"version.in_review"}  # recorded as version.submitted


def test_the_actions_of_the_code_are_found():
    assert recorded_actions() >= {
        "person.created",
        "person.persona_moved",
        "version.submitted",
        "run.requested",
        "lease.closed",
    }


def test_every_recorded_action_has_a_sentence():
    assert sorted(recorded_actions() - REGISTRY.keys()) == []


def test_no_sentence_promises_an_event_that_never_comes():
    promised = {name.partition(":")[0] for name in REGISTRY}
    assert sorted(promised - recorded_actions()) == []


@pytest.mark.parametrize("action", sorted(REGISTRY))
def test_every_sentence_can_be_said_without_any_data(action):
    said = sentence(event(action))
    assert said
    assert not re.search(r"[{}]|None", said)


def test_the_actor_and_the_target_are_named():
    assert sentence(event("version.withdrawn")) == (
        "Carol Chen withdrew Prescription trends v3 from review"
    )


def test_what_is_known_is_added():
    said = sentence(event("run.failed", data={"code": "permission_denied"}))
    assert said == "Prescription trends v3 failed (permission denied)"
    assert sentence(event("version.revoked", data={"reason": "wrong drug list"})) == (
        'Carol Chen revoked Prescription trends v3, giving as reason "wrong drug list"'
    )


@pytest.mark.parametrize(
    ("action", "decision", "said"),
    [
        ("review.recorded", "approve", "approved {} as a peer"),
        ("review.recorded", "request_changes", "asked for changes to {}"),
        ("sign_off.recorded", "approve", "signed off {} as compliance"),
        ("sign_off.recorded", "reject", "rejected {} as compliance"),
        ("sign_off.recorded", "ponder", "signed for compliance on {}: ponder"),
    ],
)
def test_a_decision_is_said_as_what_it_is(action, decision, said):
    assert sentence(event(action, data={"decision": decision})) == (
        "Carol Chen " + said.format("Prescription trends v3")
    )


def test_what_is_not_known_is_left_out():
    assert sentence(event("version.revoked", data={"reason": ""})) == (
        "Carol Chen revoked Prescription trends v3"
    )


def test_lists_are_written_out():
    said = sentence(event("access.changed", data={"launch": ["Ward A", "ada"]}))
    assert said.endswith("; may launch: Ward A, ada")


def test_an_unknown_action_gets_an_honest_sentence():
    assert sentence(event("moon.howled_at")) == (
        "Carol Chen did “moon: howled at” on Prescription trends v3"
    )


def test_an_unknown_action_on_nothing():
    assert sentence(
        event("moon.set", target_type="", target_label="", actor_name="")
    ) == ("carol did “moon: set”")


def test_a_target_without_a_label_is_named_by_its_type_and_id():
    assert "gallery.version 3" in sentence(event("version.expired", target_label=""))


def test_braces_in_data_are_only_text():
    said = sentence(event("version.revoked", data={"reason": "{actor.__class__}"}))
    assert said.endswith('"{actor.__class__}"')
