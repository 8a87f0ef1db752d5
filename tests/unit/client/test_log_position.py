"""A log that is read again from its beginning: each line comes once."""

import random

from krkn_grpc.client.logs import Position

S = "2026-01-01T00:00:0"


def read(position: Position, lines: list[str]) -> list[int]:
    position.stream_begins()
    return [number for number, time in enumerate(lines) if position.is_new(time)]


def test_lines_of_the_same_moment_are_counted() -> None:
    position = Position()
    assert read(position, [f"{S}1Z", f"{S}1Z"]) == [0, 1]
    assert read(position, [f"{S}1Z", f"{S}1Z", f"{S}1Z", f"{S}1.5Z"]) == [2, 3]
    assert read(position, [f"{S}1Z", f"{S}1Z", f"{S}1Z", f"{S}1.5Z", f"{S}1.5Z"]) == [4]


def test_fractions_without_their_zeros_are_in_order() -> None:
    position = Position()
    assert read(position, [f"{S}1Z", f"{S}1.1Z", f"{S}1.12Z", f"{S}1.2Z"]) == [0, 1, 2, 3]
    assert read(position, [f"{S}1Z", f"{S}1.1Z", f"{S}1.12Z", f"{S}1.2Z", f"{S}1.21Z"]) == [4]


def test_a_log_that_was_rotated_meanwhile_begins_later() -> None:
    position = Position()
    assert read(position, [f"{S}1Z", f"{S}2Z"]) == [0, 1]
    assert read(position, [f"{S}2Z", f"{S}3Z"]) == [1]


def test_any_log_cut_anywhere() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        lines = sorted(f"{S}{dice.randrange(3)}.{dice.randrange(3)}Z" for _ in range(12))
        position, told = Position(), list[int]()
        for _ in range(4):
            told += read(position, lines[: dice.randrange(13)])
        told += read(position, lines)
        assert told == list(range(12)), seed


def test_lines_that_are_not_in_the_order_of_their_times() -> None:
    """Standard output and error, or a clock that was set back: no line is lost, none told twice."""
    for seed in range(200):
        dice = random.Random(seed)
        lines = [f"{S}{each}Z" for each in dice.sample(range(10), 10)]
        position, told = Position(), list[int]()
        for _ in range(4):
            told += read(position, lines[: dice.randrange(11)])
        told += read(position, lines)
        assert told == list(range(10)), seed


def test_a_line_without_a_time_hides_no_other() -> None:
    lines = ["failed", f"{S}1Z", "failed", "unable", f"{S}2Z", "unable", f"{S}3Z"]
    for cut in range(len(lines)):
        position = Position()
        told = read(position, lines[:cut])
        assert told + read(position, lines) == list(range(len(lines))), cut
