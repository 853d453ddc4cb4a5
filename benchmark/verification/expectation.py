"""What a check says: nothing, that something is wrong, or that it cannot be made."""


class FailedCheck(Exception):
    """A check found something; the message says what, and what to do about it."""


class SkippedCheck(Exception):
    """A check cannot be made; the message says why."""


def expect(condition: bool, sentence: str) -> None:
    """Fail the check with `sentence` unless `condition` holds."""
    if not condition:
        raise FailedCheck(sentence)


def first_of(names: list[str]) -> str:
    """Return the first of several names, and how many more there are."""
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)
