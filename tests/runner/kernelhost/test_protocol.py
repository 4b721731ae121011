"""Requests are checked before anything is started."""

import json

import pytest

from runner.kernelhost.protocol import BadRequest, decode, encode, read_execute
from tests.runner.kernelhost.harness import notebook

SOURCE = {
    "name": "hospital",
    "host": "127.0.0.1",
    "port": 5432,
    "database": "hospital",
    "user": "r_1",
    "password": "secret-password",
    "sslmode": "disable",
}


def message(**changes):
    return {
        "op": "execute",
        "run_id": "0" * 32,
        "environment": "python-analytics",
        "environment_lock_sha256": "0" * 64,
        "kernel_name": "python3",
        "notebook": notebook("1"),
        **changes,
    }


def test_a_plain_request_gets_the_default_limits():
    request = read_execute(message())
    assert (request.limits.wall_clock_s, request.limits.processes) == (600, 64)


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "../../etc"},
        {"run_id": 5},
        {"environment": ""},
        {"environment_lock_sha256": None},
        {"environment_lock_sha256": "latest"},
        {"kernel_name": None},
        {"notebook": []},
        {"notebook": {"cells": [1]}},
        {
            "notebook": {
                "cells": [{"cell_type": "code", "metadata": {}, "source": ["a"]}]
            }
        },
        {"notebook": {"cells": [{}] * 5001}},
        {"limits": {"wall_clock_s": float("inf")}},
        {"limits": {"wall_clock_s": True}},
        {"limits": {"processes": -1}},
        {"limits": {"unknown": 1}},
        {"limits": []},
        {"data_sources": {}},
        {"data_sources": [SOURCE, SOURCE]},
        {"data_sources": [SOURCE | {"name": "../x"}]},
        {"data_sources": [SOURCE | {"port": 0}]},
        {"data_sources": [SOURCE | {"sslmode": "prefer"}]},
        {"data_sources": [SOURCE | {"user": "a\0b"}]},
        {"data_sources": [SOURCE | {"limits": {"rows": 0}}]},
    ],
)
def test_what_makes_no_sense_is_refused(changes):
    with pytest.raises(BadRequest):
        read_execute(message(**changes))


def test_a_data_source_does_not_show_its_password():
    request = read_execute(message(data_sources=[SOURCE]))
    assert "secret-password" not in repr(request)


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_object_is_refused(line):
    with pytest.raises(BadRequest):
        decode(line)


def test_every_event_is_one_line_of_utf8():
    line = encode({"text": "a\nb\ud800"})
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"text": "a\nb?"}
