"""Click options that take several values after one flag: `--nc 20 50 80`."""

from typing import Any

import click

from benchmark.errors import shown


class SeveralValues(click.Command):
    """A command whose repeatable options also take their values in a row: `--nc 20 50` is `--nc 20 --nc 50`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the flag before every further value, then parse as usual."""
        flags = {flag for p in self.params if isinstance(p, click.Option) and p.multiple for flag in p.opts}
        return super().parse_args(ctx, _repeated(args, flags))


def _repeated(args: list[str], flags: set[str]) -> list[str]:
    expanded: list[str] = []
    current = ""  # the flag whose values are being read
    for n, arg in enumerate(args):
        if arg.startswith("-"):
            current = arg if arg in flags else ""
            if current and (n + 1 == len(args) or args[n + 1].startswith("--")):
                raise click.UsageError(f"{arg} needs at least one value, such as {arg} VALUE")
        elif current and args[n - 1] != current:
            expanded.append(current)
        expanded.append(arg)
    return expanded


class Whole(click.ParamType):  # type: ignore[type-arg]  # it is generic from click 8.4 on
    """A whole number not below `least` and not above `most`."""

    name = "number"

    def __init__(self, least: int, most: int = 10**9) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail with one sentence."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{shown(value)} is no whole number", param, ctx)
        if number < self.least:
            self.fail(f"{number} is below {self.least}", param, ctx)
        if number > self.most:
            self.fail(f"{shown(number)} is above {self.most}", param, ctx)
        return number


class WholeOr(Whole):
    """A whole number not below `least`, or a word that stands for one that is not known yet; the word becomes 0."""

    def __init__(self, least: int, word: str) -> None:
        super().__init__(least)
        self.word = word

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number or 0, or fail with one sentence."""
        return 0 if value == self.word else super().convert(value, param, ctx)
