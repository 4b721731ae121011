"""The texts that are hashed and compared: quick ways say the same as the plain one."""

import json

import pytest
from django.db import connection
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from audit.chain import FIELDS, canonical_event, canonical_json, quick_canonical

pytestmark = pytest.mark.security

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text(max_size=12)
) | st.floats(allow_nan=False, allow_infinity=False)
#: Signs that stand between strings in JSON, to be found inside strings too.
SIGNS = st.text(alphabet='{}[]":, \\ab', max_size=12)
KEYS = SIGNS | st.text(max_size=8)
DATA = st.dictionaries(
    KEYS, SCALARS | SIGNS | st.lists(SCALARS | SIGNS, max_size=3), max_size=5
)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None)
@given(data=DATA)
@example(data={"": ": "})
@example(data={"a": ": b", "c": "d, "})
@example(data={": ": "", ", ": ", "})
def test_what_is_rewritten_without_a_parser_still_says_the_same(data):
    text = json.dumps(data, ensure_ascii=False)
    assume("\\u0000" not in text)  # jsonb holds no such sign
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [text])
        (printed,) = cursor.fetchone()
    quick = quick_canonical(printed)
    if quick is not None:
        assert canonical_json(json.loads(quick)) == canonical_json(json.loads(printed))


@pytest.mark.parametrize(
    "data",
    [
        {"b": 1, "a": "x, y: {z"},
        {"names": ["b", "a"]},
        {"a": {}},
        {"q": '"'},
        {"a": ": "},
        {"a": ", "},
    ],
)
def test_where_quote_signs_are_not_enough_the_parser_is_asked(data):
    text = json.dumps(data)
    assert quick_canonical(text) is None


def test_flat_data_is_rewritten_without_a_parser():
    text = '{"was": "queued", "code": "", "rows": null, "number": 12}'
    assert quick_canonical(text) == canonical_json(json.loads(text))
    assert quick_canonical("{}") == "{}"


@settings(max_examples=100, deadline=None)
@given(fields=st.lists(st.text(max_size=20), min_size=7, max_size=7), data=DATA)
def test_the_quick_text_of_an_event_is_the_canonical_one(fields, data):
    whole = dict(zip(FIELDS, (*fields, data), strict=True))
    assert canonical_event(fields, canonical_json(data)) == canonical_json(whole)
