"""Class names: which classes are mirror images of each other, and how two label orders of the same classes map.

Code bases number the classes of a data set differently, so a label means nothing without its name. Names live in the
class file beside a list, in the data set's ``metainfo`` and in checkpoints; what depends on labels is derived from them.
"""

import re
from collections.abc import Callable, Sequence

from ..errors import UserError

__all__ = [
    "class_key",
    "class_order",
    "flip_label_map",
    "flip_pairs",
    "mirrored_name",
    "one_sided_classes",
    "pad_class_names",
]

# "leftwards" is a side, too; "upright" and "bright" are not. An underscore parts words as a space does.
_SIDE = re.compile(r"(?<![^\W_])(left|right)(?=(?:wards?)?(?![^\W_]))", re.IGNORECASE)
_UNNAMED = re.compile(r"\(unnamed class \d+\)")


def pad_class_names(names: Sequence[str], num_classes: int) -> list[str]:
    """Return ``names``, with a number in the place of each name that is missing at the end."""
    return [*names, *(f"(unnamed class {label})" for label in range(len(names), num_classes))]


def class_key(name: str) -> str:
    """What copies of a data set leave of a class name: no case, no punctuation, one space for spaces and underscores."""
    return re.sub(r"[\W_]+", " ", re.sub(r"['\u2019]", "", name.casefold())).strip()


def mirrored_name(name: str) -> str:
    """Swap the words "left" and "right", also in "leftwards"; the case of their letters stays."""

    def swap(match: re.Match) -> str:
        side = match[1]
        other = "right" if side.lower() == "left" else "left"
        return other.upper() if side.isupper() else other.capitalize() if side[0].isupper() else other

    return _SIDE.sub(swap, name)


def flip_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """List the labels that a horizontal flip exchanges, the lower one first.

    For Something-Something v1 these are 2-4, 30-41, 52-66 by line of ``-labels.csv`` (MMAction2's ``flip_label_map``) and
    86-87, 93-94, 166-167 by sorted name (TSM).
    """
    labels = {name.casefold(): label for label, name in enumerate(names)}
    pairs = []
    for label, name in enumerate(names):
        mirrored = mirrored_name(name)
        other = labels.get(mirrored.casefold()) if mirrored != name else None
        if other is not None and label < other:
            pairs.append((label, other))
    return pairs


def flip_label_map(names: Sequence[str]) -> dict[int, int]:
    """``flip_pairs`` in both directions, as MMAction2's ``Flip(flip_label_map=...)`` takes it."""
    return {a: b for pair in flip_pairs(names) for a, b in (pair, pair[::-1])}


def one_sided_classes(names: Sequence[str]) -> list[int]:
    """List the labels whose name speaks of left or right while no class bears the mirrored name.

    A mirrored clip of such a class may have no label at all ("turning left" without "turning right"), or keep its own
    ("pulling it right out"): a name cannot tell.
    """
    paired = flip_label_map(names)
    return [label for label, name in enumerate(names) if mirrored_name(name) != name and label not in paired]


def class_order(trained: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Find where each class of one order lies in another.

    Names are compared as they are, or, where those differ, by ``class_key``. Classes that ``pad_class_names`` made up stand
    for any class left over.

    Args:
        trained: Names by label in a checkpoint.
        wanted: Names by label in the data.
    Returns:
        For each label of the data the checkpoint's label of the same class; None if they are equal throughout.
    Raises:
        UserError: If the two are not the same classes; says which names the other lacks.
    """
    if list(trained) == list(wanted):
        return None
    key = _telling_key(trained, wanted)
    position = {key(name): label for label, name in enumerate(trained)}
    order = [position.get(key(name)) for name in wanted]
    used = set(order)
    spare = [label for label in range(len(trained)) if label not in used]
    new = [name for name, label in zip(wanted, order, strict=True) if label is None and not _UNNAMED.fullmatch(name)]
    if new or len(trained) != len(wanted) or len(spare) != order.count(None):
        raise UserError(_difference(trained, wanted, [trained[label] for label in spare], new))
    left_over = iter(spare)
    complete = [next(left_over) if label is None else label for label in order]
    return None if complete == list(range(len(wanted))) else complete


def _telling_key(trained: Sequence[str], wanted: Sequence[str]) -> Callable[[str], str]:
    """Compare by the plainer key only where the names differ as written and no two classes fall together under it."""
    if set(trained) == set(wanted) or any(
        len({class_key(n) for n in names}) < len(names) for names in (trained, wanted)
    ):
        return str
    return class_key


def _difference(trained: Sequence[str], wanted: Sequence[str], gone: list[str], new: list[str]) -> str:
    def some(names: list[str]) -> str:
        return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")

    parts = [f"it knows {len(trained)} classes and the data names {len(wanted)}"] if len(trained) != len(wanted) else []
    if gone:
        parts.append(f"{len(gone)} of its classes are not in the data ({some(gone)})")
    if new:
        parts.append(f"{len(new)} of the data's classes are not in it ({some(new)})")
    return "; ".join(parts or ["a class name occurs twice"])
