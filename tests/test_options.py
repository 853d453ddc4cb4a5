"""Options that take several values after one flag."""

import json

import click
import pytest
from click.testing import CliRunner

from benchmark.config.options import SeveralValues, Whole


@click.command(cls=SeveralValues)
@click.option("--model", "-m", "models", multiple=True)
@click.option("--nc", multiple=True, type=Whole(2))
@click.option("--seeds", type=Whole(1))
@click.option("--quick", is_flag=True)
@click.option("--set", "changes", multiple=True)
def command(**values: object) -> None:
    click.echo(json.dumps({key: value for key, value in values.items() if value}))


def call(line: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, line.split())
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", {}),
        ("--nc 20 50 80", {"nc": (20, 50, 80)}),
        ("--nc 20 --nc 50", {"nc": (20, 50)}),
        ("--nc 20 50 --nc 80", {"nc": (20, 50, 80)}),
        ("--nc=20", {"nc": (20,)}),
        ("--model a b --nc 5", {"models": ("a", "b"), "nc": (5,)}),
        ("-m a b --nc 5 6", {"models": ("a", "b"), "nc": (5, 6)}),
        ("--nc 5 --model a b c", {"models": ("a", "b", "c"), "nc": (5,)}),
        ("--quick --nc 5 6 --seeds 2", {"nc": (5, 6), "seeds": 2, "quick": True}),
        ("--seeds 2 --nc 5 6 --quick", {"nc": (5, 6), "seeds": 2, "quick": True}),
        ("--nc 5 5", {"nc": (5, 5)}),
        ("--model nc seeds", {"models": ("nc", "seeds")}),
        ("--set a=1 b=2 --nc 5", {"changes": ("a=1", "b=2"), "nc": (5,)}),
        ("--set a=-1", {"changes": ("a=-1",)}),
    ],
)
def test_values(line: str, values: dict[str, object]) -> None:
    code, output = call(line)
    assert code == 0, output
    assert json.loads(output) == {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nc", "--nc needs at least one value"),
        ("--nc --quick", "--nc needs at least one value"),
        ("--model a --nc", "--nc needs at least one value"),
        ("--nc --nc 5", "--nc needs at least one value"),
        ("--nc -5", "-5 is below 2"),
        ("--nc 20 1", "1 is below 2"),
        ("--nc 20 x", "'x' is no whole number"),
        ("--nc 2.5", "'2.5' is no whole number"),
        ("--seeds 0", "0 is below 1"),
        ("--seeds 1 2", "unexpected extra argument"),
        ("stray --nc 5", "unexpected extra argument"),
        ("--quick stray", "unexpected extra argument"),
    ],
)
def test_errors(line: str, message: str) -> None:
    code, output = call(line)
    assert code == 2
    assert message.lower() in output.lower()
    assert "Traceback" not in output


def test_a_negative_number_after_another_value() -> None:
    code, output = call("--nc 20 -5")
    assert code == 2
    assert "Traceback" not in output
