"""Models that break the contract in one way each are found by the check for it, and by no other."""

import sys
from pathlib import Path

import pytest

from benchmark import cli
from benchmark.conformance.suite import CHECKS, Outcome, outcome
from benchmark.conformance.trial import Trial
from models.registry import Entry
from tests.broken import BROKEN
from tests.tools import TINY


def outcomes(entry: Entry, folder: Path) -> dict[str, Outcome]:
    trial = Trial(entry, folder)
    return {name: outcome(check, trial) for name, check in CHECKS.items()}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_by_its_check_alone(name: str, tmp_path: Path) -> None:
    found = outcomes(Entry("broken", f"tests.broken:{name}"), tmp_path)
    check, words = BROKEN[name]
    assert [each for each, one in found.items() if one.state == "FAIL"] == [check]
    sentence = found[check].sentence
    assert words in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert all(one.sentence for one in found.values() if one.state == "skip")


def test_a_model_that_grows_late_breaks_two_checks(tmp_path: Path) -> None:
    found = outcomes(Entry("broken", "tests.broken:GrowsLate"), tmp_path)
    failed = {name: one.sentence for name, one in found.items() if one.state == "FAIL"}
    assert list(failed) == ["resuming", "weights"]
    assert "what was saved after cycle 1 does not fit a new model: Error(s) in loading" in failed["resuming"]
    assert failed["weights"].startswith("a new model has other weights: norm.num_batches_tracked and 2 more; create")


def test_every_check_has_something_to_find() -> None:
    assert {check for check, _ in BROKEN.values()} == set(CHECKS)


@pytest.mark.parametrize(
    "name", ["NamesItsDiscriminator", "MeasuresInTheEnd", "HidesItsGraph", "TwoPhases", "WarmedUp"]
)
def test_what_is_allowed_is_not_found(name: str, tmp_path: Path) -> None:
    found = outcomes(Entry("allowed", f"tests.broken:{name}"), tmp_path)
    assert {one.state for one in found.values()} == {"ok"}, found


def test_a_missing_step_is_told_once(tmp_path: Path) -> None:
    found = outcomes(Entry("broken", "tests.broken:RaisesInACycle"), tmp_path)
    assert [name for name, one in found.items() if one.state == "ok"] == [
        "building",
        "description",
        "map",
        "size",
        "warm start",
    ]
    assert {one.sentence for one in found.values() if one.state == "skip"} == {"the training run failed"}


def call(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run `benchmark verify`; return the exit code and what came to stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["benchmark", "verify", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out + said.err


@pytest.mark.parametrize("names", [[], ["tiny"]])
def test_a_model_in_order(
    names: list[str], project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call([*names, "--plugin", str(TINY)], capsys, monkeypatch)
    lines = [f"ok   {check}" for check in CHECKS]
    assert said.splitlines() == ["tiny:", *lines, f"tiny: {len(CHECKS)} checks, all in order"]
    assert code == 0
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def plugin(folder: Path, name: str, change: tuple[str, str]) -> list[str]:
    path = folder / f"{name}.py"
    path.write_text(TINY.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    return ["--plugin", str(path)]


def test_models_not_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = plugin(tmp_path, "wrong", ("return torch.tanh(self.network(image))", "return image @ noise"))
    good = plugin(tmp_path, "good", ("", ""))
    unread = plugin(tmp_path, "unread", ("class Tiny", "1 / 0\n\n\nclass Tiny"))
    code, said = call([*wrong, *good, *unread], capsys, monkeypatch)
    assert code == 1
    line = 1 + (tmp_path / "wrong.py").read_text(encoding="utf-8").splitlines().index("        return image @ noise")
    assert "\nFAIL output: RuntimeError: " in said
    assert f" (wrong.py:{line} in generate)\nskip repeatability: generate failed\n" in said
    assert f"wrong: {len(CHECKS)} checks, 1 failed, 6 skipped\n" in said
    assert f"good: {len(CHECKS)} checks, all in order\n" in said
    place = f"{tmp_path}/unread.py"
    assert f"FAIL building: {place} cannot be imported: ZeroDivisionError: division by zero (unread.py:" in said
    assert "skip training: it cannot be built\n" in said
    assert said.endswith("\nnot in order: wrong, unread\n")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ousr"], "there is no model ousr: there are ours,"),
        (["ours", "ousr"], "did you mean ours?"),
        (["--plugin", "mine.py"], "the plug-in mine.py does not exist"),
        ([], "name a model, or all, or give --plugin FILE"),
    ],
)
def test_mistakes(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call(arguments, capsys, monkeypatch)
    assert code == 2
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert words in said
