"""What was done, in words: its control, its value, and what of it somebody may see."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from gallery.workflow import Status
from runner.live import record
from runner.live.traits import CONTROLS, WRITABLE
from runner.models import Run
from runner.record_presenters import (
    KINDS,
    MAX_TRAIT_CHARS,
    OTHER_CONTROL,
    OTHER_LIBRARY,
    OTHER_TRAIT,
    Change,
    Keeping,
    Sight,
    done,
    sight_of,
)
from tests.factories.gallery import make_version
from tests.runner.launching import approved
from tests.runner.recorded import (
    CONTROLS_OF_THE_PAGE,
    DAYS,
    GO,
    MAP,
    NOTE,
    PASSWORD,
    WARD,
    entry,
    recorded_run,
)

NUMBERS = {name: at for at, name in enumerate(CONTROLS_OF_THE_PAGE, start=1)}
ALL, NOTHING = Sight(sees_values=True), Sight(sees_values=False, numbers=NUMBERS)


def words(comm_id: str, *, sight: Sight = ALL, **values: Any) -> list[tuple[str, str]]:
    """What happened, and the value that is shown."""
    shown = done({**entry(comm_id, **values), "number": 1}, sight=sight)
    return [(each.deed, each.value) for each in shown.changes]


def keeping(comm_id: str, *, sight: Sight = ALL, **values: Any) -> list[Keeping]:
    shown = done({**entry(comm_id, **values), "number": 1}, sight=sight)
    return [each.keeping for each in shown.changes]


def test_every_control_that_a_reader_can_use_has_a_plain_name() -> None:
    used = {
        model.removesuffix("Model") for module, model in WRITABLE if module == CONTROLS
    }
    assert used | {"Button"} == KINDS.keys()


@pytest.mark.parametrize(
    ("comm_id", "values", "expected"),
    [
        (DAYS, {"value": 8}, [("Set to", "8")]),
        (DAYS, {"value": [2, 3]}, [("Set to", "2, 3")]),
        (WARD, {"index": 1}, [("Chose", "B2")]),
        (WARD, {"index": None}, [("Chose", "none")]),
        (NOTE, {"value": ""}, [("Set to", "nothing")]),
        (NOTE, {"value": True}, [("Set to", "yes")]),
        (DAYS, {"selected_index": 0}, [("Opened section", "1")]),
        (MAP, {"zoom": 4, "center": [1, 2]}, [("Set center to", "1, 2"), ("Set zoom to", "4")]),
        (GO, {"event": {"event": "click"}}, [("Pressed", "")]),
        (PASSWORD, {"event": {"event": "submit"}}, [("Entered", "")]),
        (MAP, {"event": {"event": "click"}}, [("Sent a message of its own", "{'event': 'click'}")]),
    ],
)  # fmt: skip
def test_what_was_done_is_said_plainly(
    comm_id: str, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert words(comm_id, **values) == expected


def test_the_moment_and_the_control_are_named() -> None:
    shown = done({**entry(DAYS, value=8), "number": 7}, sight=ALL)
    assert (shown.number, shown.kind, shown.label) == (7, "Slider", "Days")
    assert shown.at.isoformat() == "2026-03-02T10:00:05+00:00"


def test_what_was_too_long_is_told_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_VALUE_BYTES", 10)
    shown = done({**entry(NOTE, value="x" * 50), "number": 1}, sight=ALL)
    assert shown.changes == [Change("value", "Set to", Keeping.TOO_LONG, size_bytes=52)]


@pytest.mark.security
def test_a_password_is_not_shown_to_anybody() -> None:
    assert keeping(PASSWORD, value="CANARY") == [Keeping.NOT_KEPT]
    assert words(PASSWORD, value="CANARY") == [("Set to", "")]


@pytest.mark.security
@pytest.mark.parametrize(
    ("comm_id", "values"),
    [
        (NOTE, {"value": "CANARY"}),
        (WARD, {"index": 1}),
        (MAP, {"zoom": "CANARY"}),
        (MAP, {"event": {"event": "CANARY"}}),
        (DAYS, {"selected_index": 1}),
    ],
)
def test_who_may_not_see_values_learns_that_there_was_one(
    comm_id: str, values: dict[str, Any]
) -> None:
    assert keeping(comm_id, sight=NOTHING, **values) == [Keeping.NOT_YOURS]
    [(_, value)] = words(comm_id, sight=NOTHING, **values)
    assert value == ""


def test_who_may_not_see_values_sees_that_a_button_was_pressed() -> None:
    assert words(GO, sight=NOTHING, event={"event": "click"}) == [("Pressed", "")]


@pytest.mark.security
@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("IntSlider(description='Days')", "Days"),
        ('IntSlider(description="Days")', "Days"),
        ("IntSlider(description=row[0])  # Days", ""),
        ("", ""),
    ],
)
def test_a_name_that_the_approved_code_does_not_say_may_be_a_row_s(
    code: str, name: str
) -> None:
    sight = Sight(sees_values=False, code=code, numbers=NUMBERS)
    assert done({**entry(DAYS, value=1), "number": 1}, sight=sight).label == name


CANARY = "Ruth Hall"


@pytest.mark.security
@pytest.mark.parametrize(
    ("module", "model", "kind"),
    [
        (CONTROLS, "IntSliderModel", "Slider"),
        (CONTROLS, CANARY, OTHER_CONTROL),
        (CANARY, CANARY, OTHER_LIBRARY),
        (CANARY, "IntSliderModel", OTHER_LIBRARY),
    ],
)
@pytest.mark.parametrize("kept_as", ["values", "withheld", "size_bytes"])
def test_what_code_or_a_page_may_have_named_after_a_row_is_told_in_other_words(
    module: str, model: str, kind: str, kept_as: str
) -> None:
    made = {**entry(MAP), "comm_id": CANARY, "module": module, "model": model}
    made[kept_as] = {CANARY: 1}
    sight = Sight(sees_values=False, numbers={"another": 1, CANARY: 2})
    shown = done({**made, "number": 1}, sight=sight)
    assert (shown.control, shown.kind) == ("control 2", kind)
    assert [each.trait for each in shown.changes] == [OTHER_TRAIT]
    assert shown.changes[0].deed == "Set a trait to"
    assert CANARY not in str(shown)
    assert done({**made, "number": 1}, sight=ALL).control == CANARY


def test_a_long_name_of_a_trait_is_cut_for_everybody() -> None:
    trait = "x" * 2 * MAX_TRAIT_CHARS
    shown = done({**entry(MAP, **{trait: 1}), "number": 1}, sight=ALL)
    cut = f"{'x' * MAX_TRAIT_CHARS}…"
    assert (shown.changes[0].trait, shown.changes[0].deed) == (cut, f"Set {cut} to")


@pytest.mark.django_db
@pytest.mark.security
class TestWhoSeesWhat:
    """The person sees all; auditors what code says; of invented people all they may read."""

    @pytest.fixture
    def version(self, ada: User) -> Version:
        return approved("description='Days'")

    def test_the_person_sees_all(self, version: Version, adams: User) -> None:
        assert sight_of(adams, recorded_run(version, adams)) == ALL

    def test_an_auditor_sees_the_names_in_the_code(
        self, version: Version, adams: User, iris: User
    ) -> None:
        sight = sight_of(iris, recorded_run(version, adams))
        assert (sight.sees_values, sight.label("Days"), sight.label("Ruth")) == (
            False,
            "Days",
            "",
        )

    def test_a_control_has_the_same_number_on_every_page(
        self, version: Version, adams: User, iris: User
    ) -> None:
        uses = [entry(each, value=1) for each in (NOTE, DAYS, NOTE, MAP, DAYS)]
        run = recorded_run(version, adams, *uses)
        assert sight_of(iris, run).numbers == {NOTE: 1, DAYS: 2, MAP: 3}

    def test_code_that_an_auditor_may_not_read_names_nothing(
        self, version: Version, adams: User, iris: User
    ) -> None:
        version.notebook.source_restricted = True
        version.notebook.save()
        assert sight_of(iris, recorded_run(version, adams)) == Sight(False)

    def test_of_a_preview_an_auditor_sees_all_whose_code_is_open_to_them(
        self, ravi: User, iris: User
    ) -> None:
        def preview(status: str) -> Run:
            return recorded_run(make_version(status), ravi, kind="preview")

        assert sight_of(iris, preview(Status.IN_REVIEW)) == ALL
        assert sight_of(iris, preview(Status.DRAFT)) == Sight(False)

    def test_a_peer_does_not_see_another_s_preview(
        self, ravi: User, petra: User
    ) -> None:
        made = recorded_run(make_version(Status.IN_REVIEW), ravi, kind="preview")
        assert not sight_of(petra, made).sees_values

    def test_a_closed_account_sees_nothing(self, version: Version, adams: User) -> None:
        run = recorded_run(version, adams, kept_at=timezone.now())
        adams.is_active = False
        assert not sight_of(adams, run).sees_values
