"""The tool that draws joint on other views over the training budget."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import main
from benchmark.run import runs
from tools.curves import curves, draw, seconds_of_an_image


def test_the_figure_has_a_line_for_each_model_and_cost(tmp_path: Path) -> None:
    rows = [
        [m, r, r - 0.1, r + 0.1, images, images / 50] for m, r in (("ours", 0.4), ("unet", 0.2)) for images in (8, 64)
    ]
    columns = ["model", "joint_cross", "joint_cross_ci_low", "joint_cross_ci_high", "images", "cpu_minutes"]
    draw(pd.DataFrame(rows, columns=columns), 20, tmp_path / "curves")
    assert {path.name for path in tmp_path.iterdir()} == {"curves.png", "curves.svg"}
    drawn = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert all(word in drawn for word in ("ours", "unet", "real images used", "CPU minutes", "20 classes"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--profile", "nope"], "params.yaml has no profile nope"),
        (["--profile", "smoke", "--model", "ours", "unett"], "there is no model unett"),
        (["--profile", "smoke", "--images", "0"], "--images"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_mistake_is_one_sentence(
    line: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["curves", *line])
    with pytest.raises(SystemExit) as ended:
        main(curves)
    error = capsys.readouterr().err
    assert (ended.value.code, error[:7], error.count("\n")) == (2, "error: ", 1)
    assert said in error


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_an_image_costs_less_with_more_generator_steps() -> None:
    """A cycle has one discriminator step; with four generator steps it is shared by four batches."""
    run = runs.opened("smoke", "cpu")
    more = run.settings.model_copy(update={"training": run.settings.training.model_copy(update={"generator_steps": 4})})
    one, four = (seconds_of_an_image(each, "vanilla") for each in (run, replace(run, settings=more)))
    assert 0 < four < one
