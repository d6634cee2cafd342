"""A production file: whether it came whole, and its rows."""

import base64
import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.monitoring.domain.faults import FileFault, FileRefused, RowFault
from kanava.monitoring.domain.files import check_digest, format_of, read_file
from kanava.monitoring.domain.reports import FIELDS
from tests.monitoring.world import report


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def csv_of(*rows: dict[str, object]) -> bytes:
    lines = [",".join(FIELDS), *(",".join(str(row[name]) for name in FIELDS) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode()


def ndjson_of(*rows: dict[str, object]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def fault_of(form: str, body: bytes) -> FileFault:
    with pytest.raises(FileRefused) as refused:
        read_file(form, body)
    return refused.value.fault


def test_csv_and_ndjson_say_the_same() -> None:
    rows = [report("a"), report("b", quantity=101)]
    from_csv, from_ndjson = read_file("csv", csv_of(*rows)), read_file("ndjson", ndjson_of(*rows))
    assert from_csv.reports == from_ndjson.reports
    assert [(one.row, one.flaw) for one in from_csv.rejected] == [
        (one.row, one.flaw) for one in from_ndjson.rejected
    ]
    assert from_csv.rows == 2


def test_columns_may_stand_in_any_order_and_with_a_byte_order_mark() -> None:
    row = report()
    header = sorted(FIELDS)
    body = f"\ufeff{','.join(header)}\r\n{','.join(str(row[name]) for name in header)}\r\n".encode()
    assert len(read_file("csv", body).reports) == 1


def test_a_row_with_another_number_of_columns_is_rejected_alone() -> None:
    reading = read_file("csv", csv_of(report()) + b"a,b\n")
    assert [(one.row, one.flaw.fault) for one in reading.rejected] == [(2, RowFault.UNREADABLE)]
    assert reading.rejected[0].kept is None


@pytest.mark.parametrize("line", [b"{", b"[]", b"7", b"", b'{"a":NaN}', b"[" * 5000])
def test_a_line_that_is_no_object_is_rejected_alone(line: bytes) -> None:
    reading = read_file("ndjson", line + b"\n" + ndjson_of(report()))
    assert [one.row for one in reading.rejected] == [1]
    assert [row for row, _ in reading.reports] == [2]


@given(st.data())
def test_a_file_cut_anywhere_is_refused_by_its_digest_and_mostly_by_its_last_line(
    data: st.DataObject,
) -> None:
    whole = ndjson_of(report("a"), report("b"))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(FileRefused):
        check_digest(digest(whole), cut)
    if cut and not cut.endswith(b"\n"):
        assert fault_of("ndjson", cut) is FileFault.CUT


def test_what_is_wrong_with_a_whole_file() -> None:
    good = csv_of(report())
    assert fault_of("csv", b"") is FileFault.EMPTY
    assert fault_of("csv", csv_of()) is FileFault.EMPTY
    assert fault_of("csv", good.replace(b"client_fee_cents", b"client_fee_euros")) is FileFault.HEADER
    assert fault_of("csv", good.replace(b"quantity", b"node", 1)) is FileFault.HEADER
    assert fault_of("csv", good + b'"never closed\n') is FileFault.NOT_CSV
    assert fault_of("csv", good + b"\xff\n") is FileFault.NOT_UTF8
    assert fault_of("ndjson", b"\xff\n") is FileFault.NOT_UTF8


@pytest.mark.parametrize("header", [None, "", "md5=:AAAA:", "sha-256=:not base64!:", "sha-256=AAAA"])
def test_a_digest_is_required(header: str | None) -> None:
    with pytest.raises(FileRefused) as refused:
        check_digest(header, b"x\n")
    assert refused.value.fault is FileFault.DIGEST_MISSING


def test_a_digest_may_stand_beside_others_and_must_be_right() -> None:
    check_digest(f"sha-512=:AAAA:, {digest(b'x')}", b"x")
    with pytest.raises(FileRefused) as refused:
        check_digest(digest(b"x"), b"y")
    assert refused.value.fault is FileFault.DIGEST_DIFFERS


def test_the_content_type_says_the_format() -> None:
    assert format_of("Text/CSV; charset=utf-8") == "csv"
    assert format_of("application/x-ndjson") == "ndjson"
    with pytest.raises(FileRefused):
        format_of("application/json")


def test_a_header_may_name_what_may_be_left_out_and_nothing_twice() -> None:
    row = report(unit_of_measure="hoidettu_asiakas_drg", weight_ten_thousandths=6_320)
    lines = [",".join(row), ",".join(map(str, row.values()))]
    reading = read_file("csv", "\n".join([*lines, ""]).encode())
    assert [one.weight_ten_thousandths for _, one in reading.reports] == [6_320]
    for header in (f"{lines[0]},report_id", f"{lines[0]},hetu"):
        assert fault_of("csv", f"{header}\n{lines[1]},x\n".encode()) is FileFault.HEADER
