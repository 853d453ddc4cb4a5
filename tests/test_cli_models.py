"""`benchmark models`: the list, which imports nothing heavy, and the table of sizes."""

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from benchmark import cli
from benchmark.config import settings
from benchmark.config.settings import override, with_dataset
from benchmark.evaluation.operations import image_macs
from benchmark.reporting.models import Size, models_table, size
from benchmark.results.rows import MODEL_COLUMNS
from benchmark.stages.models import describe, identities
from models.capacity import discriminator_parameters, generator_parameters, sized
from models.interface import ModelSpec
from models.registry import Entry, entries, find
from tests.tools import PROJECT, TINY

LIST = """
import sys
from benchmark.cli import main
sys.argv = ["benchmark", "models", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("heavy:", sorted({"torch", "torchvision", "sklearn", "lightning_fabric", "numpy", "pandas"} & set(sys.modules)))
"""
SMALL = ModelSpec(32, 5, identities=11, width=0.125)
REFUSING = '''"""Refuses."""
from models.interface import ViewModel


class Refusing(ViewModel):
    def __init__(self, spec):
        raise ValueError("only 96 px,\\nnothing else")
'''
FAILING = '''"""Fails."""
from models.ours import Ours


class Failing(Ours):
    def generate(self, image, view_code, noise):
        return self.nothing
'''


def call(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *plugins: Path
) -> tuple[int, str, str]:
    """Run `benchmark models`; return the exit code and what came to stdout and stderr."""
    given = [word for path in plugins for word in ("--plugin", str(path))]
    monkeypatch.setattr(sys, "argv", ["benchmark", "models", *line.split(), *given])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


@pytest.fixture
def broken(tmp_path: Path) -> list[Path]:
    """Plug-ins that cannot be parsed, built, or used."""
    texts = {"unparsed": "def (", "refusing": REFUSING, "failing": FAILING}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return [tmp_path / f"{name}.py" for name in texts]


def test_the_list_comes_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIST, "--plugin", str(TINY)]
    start = time.monotonic()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert time.monotonic() - start < 5  # 0.3 s on an idle machine
    assert done.returncode == 0, done.stderr
    *lines, heavy = done.stdout.splitlines()
    assert heavy == "heavy: []"
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [*entries(), "tiny"]
    assert max(map(len, lines)) <= 120
    assert not list(tmp_path.iterdir())


def test_two_lines_say_what_a_model_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, _ = call("", capsys, monkeypatch)
    assert code == 0
    first, second = said.splitlines()[2:4]
    assert first.startswith("dr_gan             DR-GAN for a single image: N_i + 1 classes")
    facts = "Tran et al., CVPR 2017 · labels: identity, view · updates: discriminator 1, generator 1, later 4"
    assert second == " " * 19 + facts


def test_broken_plugins_are_listed(
    broken: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said, _ = call("", capsys, monkeypatch, *broken)
    assert code == 0
    assert "unparsed           cannot be read: invalid syntax (unparsed.py, line 1)\n" in said
    assert "refusing           Refuses.\n" in said
    assert "labels: -" not in said  # what a file leaves out is left out
    assert "failing            Fails.\n                   Xiong et al., CVPR 2020 · labels: identity, view" in said


@pytest.mark.parametrize("name", ["ours", "unet", "dr_gan_sigmoid", "vanilla_deform"])
def test_the_numbers_are_those_of_a_built_model(name: str) -> None:
    model_class = find(name).load()
    model = model_class(sized(model_class, SMALL))
    row = models_table([find(name)], SMALL).iloc[0]
    discriminator = sum(p.numel() for p in model.discriminator.parameters())
    assert row["generator_parameters"] == sum(p.numel() for p in model.parameters()) - discriminator
    assert row["discriminator_parameters"] == discriminator
    assert row["generator_parameters"] == generator_parameters(model)
    assert row["discriminator_parameters"] == discriminator_parameters(model)
    assert (row["map"], row["width"], row["macs"]) == (model.map, model.spec.width, image_macs(model))


def test_the_table_of_models() -> None:
    names = ["vanilla", "unet", "ours"]
    table = models_table([find(name) for name in names], SMALL)
    assert list(table.columns) == MODEL_COLUMNS
    assert table["model"].tolist() == names
    assert table["map"].tolist() == ["-", "all", "8"]
    assert table["image_size"].tolist() == [32] * 3
    assert table["citation"].tolist() == ["Xiong et al., CVPR 2020"] * 3
    assert not table.isna().any(axis=None)


def test_the_table_is_the_same_each_time_and_uses_no_random_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, second = (models_table([find("ours"), find("cnc28")], SMALL) for _ in range(2))
    assert torch.equal(torch.rand(2), expected)
    pd.testing.assert_frame_equal(first, second)


def test_models_that_fail_have_a_row(broken: list[Path]) -> None:
    table = models_table([find("ours"), *(Entry(path.stem, str(path)) for path in broken)], SMALL)
    assert table["model"].tolist() == ["ours", "unparsed", "refusing", "failing"]
    assert table["macs"].isna().tolist() == [False, True, True, True]
    assert str(table["macs"][0]).isdigit()  # whole numbers stay whole beside a missing one
    assert table["map"].tolist() == ["8", "-", "-", "-"]


def test_the_printed_sizes(
    broken: list[Path], project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: entry for name, entry in entries().items() if name in ("ours", "vanilla")}
    plugins = {path.stem: Entry(path.stem, str(path)) for path in broken}
    monkeypatch.setattr("models.registry.entries", lambda given: {**few, **plugins} if given else few)
    code, said, _ = call("--size --profile smoke", capsys, monkeypatch, *broken)
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "Profile smoke at 32 px: 5 views, width 0.125"
    cells = {line.split()[0]: line.split()[1:] for line in lines[3:8]}
    ours, vanilla = (size(find(name), SMALL) for name in ("ours", "vanilla"))
    assert isinstance(ours, Size)
    assert isinstance(vanilla, Size)
    less = f"{vanilla.generator_parameters / ours.generator_parameters - 1:+.1%}"
    assert cells["ours"] == _cells(ours, "+0.0%")
    assert cells["vanilla"] == _cells(vanilla, less)
    assert " ".join(cells["refusing"]) == "cannot be measured: only 96 px, nothing else"
    assert " ".join(cells["failing"]).startswith("cannot be measured: AttributeError: 'Failing' object has no")
    assert "unparsed.py cannot be imported: SyntaxError" in " ".join(cells["unparsed"])
    assert "for 11 identities" in said


def _cells(of: Size, more: str) -> list[str]:
    numbers = (f"{of.width:.3f}", f"{of.generator_parameters:,}", more, f"{of.discriminator_parameters:,}")
    return [of.map, *numbers, f"{of.macs / 1e6:,.1f}", "M"]


def test_another_size_than_the_profiles(project: Path) -> None:
    smoke = settings.profile("smoke")
    said = describe({"ours": find("ours")}, smoke, 48)
    assert said.startswith("Profile smoke at 48 px")
    assert describe({"ours": find("ours")}, override(smoke, {"data.image_size": 48})) == said


def test_the_size_option_takes_the_active_profile(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("benchmark.stages.models.describe", lambda *given: asked.append(given[1:]) or "table")
    for line in ("--size", "--size 64", "--size=64 --profile smoke"):
        assert call(line, capsys, monkeypatch) == (0, "table\n", "")
    active = settings.profile()
    assert asked == [(active, None), (active, 64), (settings.profile("smoke"), 64)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--size 33", "image_size 33 is not 4, 5, 6 or 7 times a power of two"),
        ("--size 1024", "--size: data.image_size: Input should be less than or equal to 512, got 1024"),
        ("--size 8", "8 is below 16"),
        ("--size 0", "0 is below 16"),
        ("--size -5", "-5"),
        ("--size 3.5", "'3.5' is no whole number"),
        ("--size big", "'big' is no whole number"),
        ("--size 32 64", "unexpected extra argument"),
        ("--size --profile smoek", "has no profile smoek"),
        ("--profile smoke", "give --size too"),
        ("--size 32 --plugin mine.py", "the plug-in mine.py does not exist"),
    ],
)
def test_mistakes(
    line: str, words: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, shown, said = call(line, capsys, monkeypatch)
    assert (code, shown) == (2, "")
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert words in said


def test_the_number_of_identities(project: Path) -> None:
    smoke = settings.profile("smoke")
    assert identities(smoke) == 11  # one of twelve is for validation
    assert identities(override(smoke, {"data.validation": 0.5})) == 6
    assert identities(override(smoke, {"data.auxiliary": 0.5})) is None
    assert "2 identities: how many train is known after" in describe(
        {"ours": find("ours")}, override(smoke, {"data.auxiliary": 0.5})
    )


@pytest.mark.parametrize("change", [{"data.auxiliary": 0.5}, {"data.auxiliary": 12}])
def test_a_split_that_was_made_tells_where_settings_cannot(change: dict[str, object], project: Path) -> None:
    folder = Path("runs/smoke/data")
    folder.mkdir(parents=True)
    pd.DataFrame({"identity_label": [-1, 0, 7, 3]}).to_parquet(folder / "split.parquet")
    table = override(with_dataset(settings.profile("smoke"), "table"), change)
    assert identities(table) == 8


PROFILES = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))["profiles"]


@pytest.mark.parametrize("name", sorted(PROFILES.keys() - {settings.OWN}))
def test_every_profile_knows_its_identities(name: str, project: Path) -> None:
    assert identities(settings.profile(name)) is not None
