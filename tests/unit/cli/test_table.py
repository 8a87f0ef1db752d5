"""Tables of any content fit into any width, one line per row."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from krkn_grpc.cli import ids, table
from krkn_grpc.cli.table import Column

COLUMNS = (Column("NAME", least=6), Column("N", is_right=True), Column("MORE", least=4, drop=1))


def lines(fitted: table.Fitted) -> list[str]:
    return [(" " * table.GAP).join(row).rstrip() for row in (fitted.head, *fitted.rows)]


def test_without_a_width_nothing_is_cut() -> None:
    fitted = table.fitted(COLUMNS, [["a" * 90, "1", ""]])
    assert lines(fitted) == ["NAME" + " " * 88 + "N  MORE", "a" * 90 + "  1"]


def test_the_widest_column_gives_way_and_then_one_is_left_out() -> None:
    rows = [["abcdefghij", "10", "klmnop"], ["x", "2", ""]]
    assert lines(table.fitted(COLUMNS, rows, 18)) == [
        "NAME     N  MORE",
        "abcde…  10  klmnop",
        "x        2",
    ]
    assert lines(table.fitted(COLUMNS, rows, 12)) == [
        "NAME       N",
        "abcdefg…  10",
        "x          2",
    ]


def test_a_column_without_content_is_left_out_of_a_terminal() -> None:
    assert table.fitted(COLUMNS, [["a", "1", ""]], 80).shown == [0, 1]


@given(
    st.lists(st.lists(st.text("aé東 🚀", max_size=12), min_size=3, max_size=3), max_size=4),
    st.integers(8, 60),
)
def test_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    for line in lines(table.fitted(COLUMNS, rows, width)):
        assert cell_len(line) <= width


A, B = "01a229c7-11ab-7423-bfee-978bab565a0f", "01a229c7-11ab-7423-bfee-978bab065a0f"


def test_ids_are_shown_by_ends_that_tell_them_apart() -> None:
    assert ids.ends([A, "demo-1"]) == {A: "565a0f", "demo-1": "demo-1"}
    assert ids.ends([A, B]) == {A: "565a0f", B: "065a0f"}
    twin = A.replace("ab565a0f", "cb565a0f")
    assert ids.ends([A, twin]) == {A: "ab565a0f", twin: "cb565a0f"}


def test_an_end_finds_its_ids() -> None:
    assert ids.ending([A, B], "565A0F") == [A]
    assert ids.ending([A, B], "…65a0f") == [B, A]
    assert ids.ending([A, B], "0f") == []
    assert [ids.is_too_short(each) for each in ("", "…0f", "a0f")] == [True, True, False]
