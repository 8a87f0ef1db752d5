"""Finds the known name that an unknown one was probably meant to be. Pure."""

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"\d+")
# Shorter names are alike by chance.
_SHORTEST, _LONG = 4, 8
# A request may have thousands of names, and others wait meanwhile: the rest of them passes.
MOST_NAMES = 200
_MOST_COMPARISONS = 500


class Spelling:
    """The known names; one object serves one request, because it counts its comparisons."""

    def __init__(self, known: Iterable[str]) -> None:
        """Keep the names that unknown ones are compared with."""
        self._known = [(name, name.upper(), _letters(name.upper())) for name in known]
        self._names = 0
        self._comparisons = 0

    def meant(self, name: str) -> str | None:
        """Return the known name that differs in case alone, or in one or two letters.

        Names that differ in digits alone are those of a series; they are not alike.
        """
        self._names += 1
        wanted = name.upper()
        if self._names > MOST_NAMES or len(wanted) < _SHORTEST:
            return None
        most = _edits(len(wanted))
        letters, best, nearest = _letters(wanted), None, most + 1
        for known, upper, known_letters in self._known:
            if wanted == upper:
                return known
            if len(upper) < _SHORTEST or abs(len(wanted) - len(upper)) > most:
                continue
            # An edit changes at most two letters of the set.
            if (letters ^ known_letters).bit_count() > 2 * most:
                continue
            if _DIGITS.sub("", wanted) == _DIGITS.sub("", upper):
                continue  # A variable of a series, such as NODE_1 and NODE_2.
            self._comparisons += 1
            if self._comparisons > _MOST_COMPARISONS:
                return best
            found = distance(wanted, upper, nearest - 1)
            if found < nearest and not _has_another_word(wanted, upper):
                best, nearest = known, found
        return best


def _has_another_word(one: str, other: str) -> bool:
    """Whether the names differ by a whole word: POD_SELECTOR is no misspelt NODE_SELECTOR."""
    words, others = one.split("_"), other.split("_")
    if len(words) != len(others):
        return False
    for word, other_word in zip(words, others, strict=True):
        most = _edits(min(len(word), len(other_word)))
        if distance(word, other_word, most) > most:
            return True
    return False


def _edits(length: int) -> int:
    """Return how many letters of a text of this length may be wrong."""
    return 1 if length < _LONG else 2


def distance(one: str, other: str, most: int) -> int:
    """Return the edits from one text to the other; `most + 1` when there are more than `most`.

    An edit inserts, removes or replaces a letter, or swaps two neighbours.
    """
    over = most + 1
    if abs(len(one) - len(other)) > most:
        return over
    before: list[int] = []
    row = [min(at, over) for at in range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        # Only the cells near the diagonal can be within `most`.
        first, last = max(1, i - most), min(len(other), i + most)
        following = [over] * (len(other) + 1)
        following[0] = min(i, over)
        for j in range(first, last + 1):
            best = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != other[j - 1]))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == other[j - 1]:
                best = min(best, before[j - 2] + 1)
            following[j] = min(best, over)
        before, row = row, following
    return row[-1]


def _letters(text: str) -> int:
    """Return the set of the text's letters as bits."""
    bits = 0
    for letter in text:
        bits |= 1 << (ord(letter) & 127)
    return bits
