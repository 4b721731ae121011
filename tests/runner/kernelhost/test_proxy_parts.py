"""The proxy's parser and book-keeping, without a server."""

import itertools
import struct
from configparser import ConfigParser
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kernelhost.protocol import DataSource, SourceLimits
from runner.kernelhost.proxy.frames import (
    Frame,
    ProtocolViolation,
    Rows,
    Scanner,
    error_fields,
    error_response,
    startup_message,
    startup_parameters,
)
from runner.kernelhost.proxy.meter import LimitReached, Meter
from runner.kernelhost.proxy.sources import DataProxies
from runner.kernelhost.proxy.startup import StartupRefused, checked
from runner.kernelhost.proxy.statements import MAX_PENDING, Statements, is_control

SOURCE = DataSource(
    "hospital", "127.0.0.1", 5432, "hospital", "r_1", "x", "disable", SourceLimits()
)


def text(*parts):
    return b"".join(part.encode() + b"\0" for part in parts)


def test_messages_are_found_however_the_bytes_arrive():
    frames = [Frame(b"Q", text("select 1")), Frame(b"S", b""), Frame(b"D", b"x" * 3000)]
    data = b"".join(frame.encode() for frame in frames)
    for size in (1, 7, 64, len(data)):
        scanner = Scanner(10_000)
        found = [
            f
            for start in range(0, len(data), size)
            for f in scanner.feed(data[start : start + size])
        ]
        assert found == frames


def test_rows_that_follow_each_other_come_in_one_piece():
    rows = [
        Frame(kind, b"x" * size) for kind, size in ((b"D", 3), (b"D", 0), (b"d", 9))
    ]
    frames = [Frame(b"T", b"heads"), *rows, Frame(b"C", text("SELECT 3"))]
    data = b"".join(frame.encode() for frame in frames)
    heads, of_a_query, copied, end = Scanner(10_000).feed_rows(data)
    assert (heads, end) == (frames[0], frames[-1])
    assert of_a_query == Rows(b"D", 2, rows[0].encode() + rows[1].encode())
    assert copied == Rows(b"d", 1, rows[2].encode())
    assert (of_a_query.payload_bytes, copied.payload_bytes) == (3, 9)
    assert [each.data for each in of_a_query.one_by_one()] == [
        row.encode() for row in rows[:2]
    ]


@given(
    frames=st.lists(
        st.tuples(st.sampled_from([b"T", b"D", b"d", b"Z"]), st.binary(max_size=40))
    ),
    cuts=st.lists(st.integers(1, 60), min_size=1),
)
def test_no_row_is_lost_or_moved_however_the_bytes_arrive(frames, cuts):
    data = b"".join(Frame(*each).encode() for each in frames)
    scanner, found, start = Scanner(10_000), [], 0
    for size in itertools.cycle(cuts):
        found += scanner.feed_rows(data[start : start + size])
        start += size
        if start >= len(data):
            break
    assert b"".join(each.encode() for each in found) == data
    rows = sum(each.count for each in found if isinstance(each, Rows))
    assert rows == sum(kind in (b"D", b"d") for kind, _ in frames)
    assert not scanner.pending


@pytest.mark.parametrize("length", [0, 3, 10_001, 2**31, 2**32 - 1])
def test_an_impossible_length_among_rows_is_refused(length):
    rows = Frame(b"D", b"row").encode() + b"D" + struct.pack("!I", length)
    with pytest.raises(ProtocolViolation):
        Scanner(10_000).feed_rows(rows)


@pytest.mark.parametrize("length", [0, 3, 10_001, 2**31, 2**32 - 1])
def test_an_impossible_length_is_refused_before_it_is_read(length):
    with pytest.raises(ProtocolViolation):
        Scanner(10_000).feed(b"Q" + struct.pack("!I", length))


def test_a_startup_message_survives_the_round_trip():
    parameters = {"user": "r_1", "database": "hospital"}
    assert startup_parameters(startup_message(parameters)[8:]) == parameters


@pytest.mark.parametrize("payload", [b"user\0", b"user", b"user\0x\0data"])
def test_a_startup_message_that_does_not_pair_up_is_refused(payload):
    with pytest.raises(ProtocolViolation):
        startup_parameters(payload)


def test_an_error_has_its_sqlstate():
    (frame,) = Scanner(1000).feed(error_response("54000", "Narrow it."))
    assert error_fields(frame.payload) == {
        "S": "FATAL",
        "V": "FATAL",
        "C": "54000",
        "M": "Narrow it.",
    }


@pytest.mark.parametrize(
    ("parameters", "sqlstate"),
    [
        ({"user": "postgres"}, "28000"),
        ({"user": "postgres", "database": "hospital"}, "28000"),
        ({"user": "r_2", "database": "default"}, "28000"),
        ({"user": "r_1", "database": "postgres"}, "28000"),
        ({"user": "r_1", "replication": "database"}, "0A000"),
        ({"user": "r_1", "replication": "true"}, "0A000"),
        ({"user": "r_1", "options": "-c role=p_billing"}, "0A000"),
    ],
)
def test_a_client_may_not_ask_for_more(parameters, sqlstate):
    with pytest.raises(StartupRefused) as refused:
        checked(parameters, SOURCE)
    assert refused.value.sqlstate == sqlstate


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"user": "run"},
        {"user": "run", "database": "default"},
        {"user": "run", "database": "run"},
        {"user": "run", "database": "hospital"},
        {"user": "r_1"},
        {"user": "r_1", "database": "default"},
    ],
)
def test_a_client_need_not_know_the_name_of_its_login(words):
    assert checked(words, SOURCE) == {}


async def test_a_kernels_data_directory_has_a_way_to_each_source(tmp_path):
    sources = (replace(SOURCE, name="registry"), replace(SOURCE, name="hospital"))
    proxies = DataProxies(sources, lambda _: None)
    await proxies.listen(tmp_path, None)
    try:
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            *("default", "hospital", "registry", "services.conf")
        ]
        assert (tmp_path / "default").readlink().name == "registry"
        for name in ("default", "hospital", "registry"):
            assert (tmp_path / name / ".s.PGSQL.5432").is_socket()
        services = ConfigParser()
        services.read(tmp_path / "services.conf")
        assert services.sections() == ["registry", "hospital"]
        assert dict(services["hospital"]) == {
            "host": "/run/data/hospital",
            "port": "5432",
            "user": "run",
            "dbname": "default",
            "sslmode": "disable",
        }
    finally:
        await proxies.close()


async def test_a_source_that_is_called_default_keeps_its_name(tmp_path):
    proxies = DataProxies((replace(SOURCE, name="default"),), lambda _: None)
    await proxies.listen(tmp_path, None)
    try:
        assert not (tmp_path / "default").is_symlink()
        assert (tmp_path / "default" / ".s.PGSQL.5432").is_socket()
    finally:
        await proxies.close()


async def test_a_run_without_data_leaves_the_directory_empty(tmp_path):
    proxies = DataProxies((), lambda _: None)
    await proxies.listen(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_only_settings_of_the_client_side_are_passed_on():
    given = {
        "user": "r_1",
        "database": "hospital",
        "client_encoding": "UTF8",
        "role": "x",
        "search_path": "y",
    }
    assert checked(given, SOURCE) == {"client_encoding": "UTF8"}


def test_the_meter_stops_before_the_row_that_is_one_too_many():
    meter = Meter("hospital", SourceLimits(rows=2, bytes=100))
    meter.take(1, 1)
    meter.take(1, 1)
    with pytest.raises(LimitReached) as reached:
        meter.take(1, 1)
    assert (reached.value.sqlstate, meter.rows) == ("54000", 2)
    assert "WHERE" in reached.value.message


def test_the_meter_counts_rows_together_as_it_counts_them_alone():
    meter = Meter("hospital", SourceLimits(rows=5, bytes=100))
    assert (meter.holds(5, 100), meter.holds(6, 1), meter.holds(1, 101)) == (
        True,
        False,
        False,
    )
    meter.take(4, 90)
    assert (meter.holds(1, 10), meter.holds(2, 2), meter.holds(1, 11)) == (
        True,
        False,
        False,
    )
    with pytest.raises(LimitReached):
        meter.take(2, 2)
    assert (meter.rows, meter.bytes) == (4, 90)


def test_the_meter_counts_bytes_too():
    meter = Meter("hospital", SourceLimits(rows=10, bytes=100))
    with pytest.raises(LimitReached):
        meter.take(1, 101)
    assert meter.bytes == 0


def recorded(*frames):
    records = []
    statements = Statements("hospital", records.append)
    for direction, frame in frames:
        if direction == ">":
            statements.sent(frame)
        else:
            if frame.kind == b"D":
                statements.rows(1)
            statements.answered(frame)
    return [
        (record["text"], record["rows"], record["sqlstate"]) for record in records
    ], statements


SYNC, READY = (">", Frame(b"S", b"")), ("<", Frame(b"Z", b"I"))
ROW, COMPLETE = ("<", Frame(b"D", b"")), ("<", Frame(b"C", text("SELECT 1")))
PARSED = ("<", Frame(b"1", b""))


def query(sql):
    return (">", Frame(b"Q", text(sql)))


def parse(sql, name=""):
    return (">", Frame(b"P", text(name, sql) + b"\0\0"))


def bind(portal="", name=""):
    return (">", Frame(b"B", text(portal, name)))


def execute(portal=""):
    return (">", Frame(b"E", text(portal) + b"\0\0\0\0"))


def failed(sqlstate):
    return ("<", Scanner(1000).feed(error_response(sqlstate, "no"))[0])


def test_a_simple_query_is_recorded_with_its_rows():
    records, _ = recorded(query("select 1"), ROW, ROW, COMPLETE, READY)
    assert records == [("select 1", 2, None)]


def test_a_failed_query_is_recorded_with_its_sqlstate():
    records, _ = recorded(query("select secret"), failed("42501"), READY)
    assert records == [("select secret", 0, "42501")]


def test_an_extended_query_is_recorded_when_it_is_executed():
    records, _ = recorded(
        parse("select 2"), bind(), execute(), SYNC, PARSED, ROW, COMPLETE, READY
    )
    assert records == [("select 2", 1, None)]


def test_a_prepared_statement_keeps_its_text():
    first = [
        parse("select $1", "s"),
        bind("", "s"),
        execute(),
        SYNC,
        PARSED,
        ROW,
        COMPLETE,
        READY,
    ]
    again = [bind("", "s"), execute(), SYNC, ROW, COMPLETE, READY]
    records, _ = recorded(*first, *again)
    assert records == [("select $1", 1, None)] * 2


def test_a_statement_that_does_not_parse_is_recorded_once():
    records, statements = recorded(
        parse("selec"), bind(), execute(), SYNC, failed("42601"), READY
    )
    assert records == [("selec", 0, "42601")]
    assert not statements.pending


def test_pipelined_statements_after_an_error_were_never_run():
    frames = [
        parse("a"),
        bind(),
        execute(),
        parse("b"),
        bind(),
        execute(),
        SYNC,
        PARSED,
        failed("42501"),
        READY,
    ]
    records, statements = recorded(*frames)
    assert records == [("a", 0, "42501")]
    assert not statements.pending


def test_two_pipelines_are_kept_apart():
    one = [parse("a"), bind(), execute(), SYNC]
    two = [parse("b"), bind(), execute(), SYNC]
    answers = [PARSED, failed("42501"), READY, PARSED, ROW, COMPLETE, READY]
    records, _ = recorded(*one, *two, *answers)
    assert records == [("a", 0, "42501"), ("b", 1, None)]


def test_unanswered_messages_are_bounded():
    statements = Statements("hospital", lambda _: None)
    for _ in range(MAX_PENDING):
        statements.sent(Frame(b"S", b""))
    with pytest.raises(ProtocolViolation):
        statements.sent(Frame(b"S", b""))


@pytest.mark.parametrize(
    "sql", ["ROLLBACK", " begin", "Commit;", "release x", "DEALLOCATE all"]
)
def test_what_steers_a_transaction_reads_nothing(sql):
    assert is_control(sql)
    assert not is_control("select 1")
    assert not is_control("commitment")
