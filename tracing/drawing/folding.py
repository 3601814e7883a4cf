"""Which steps of a long saga stand alone, and which are folded into one card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# So many steps are drawn one by one; of a longer saga, what is dull is folded.
MAX_UNFOLDED = 24
# So many telling steps keep their own card, the first ones; beyond, nobody sees the wood.
MAX_TELLING = 12
# So many steps a fold shows when it is opened.
OPENED = 20


def spans(dull: Sequence[bool], *, opened: int | None = None) -> list[range]:
    """Return the steps as ranges of indexes, in order and without a gap: one step or a fold.

    `dull` steps have nothing to tell; the first, the last and the neighbours of a telling one
    stand alone too. `opened` unfolds `OPENED` steps from that index on.
    """
    total = len(dull)
    if total <= MAX_UNFOLDED:
        return [range(index, index + 1) for index in range(total)]
    telling = [index for index, plain in enumerate(dull) if not plain][:MAX_TELLING]
    alone = {0, total - 1}
    for index in telling:
        alone.update((index - 1, index, index + 1))
    if opened is not None:
        first = max(0, min(opened, total - OPENED))
        alone.update(range(first, first + OPENED))
    found: list[range] = []
    begin = 0
    for index in sorted(alone & set(range(total))):
        if begin < index:
            found.append(range(begin, index))
        found.append(range(index, index + 1))
        begin = index + 1
    return found
