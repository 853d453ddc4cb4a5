"""`benchmark compare --update`: what a baseline holds, and that nothing is lost on the way."""

import shutil
from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.regression import baseline
from benchmark.regression.comparison import compare
from tests.regression.folders import OURS, results

NEW = OURS | {"ours": [0.9, 0.91, 0.93, 0.95]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with three training seeds, `old`, and with four for one model, `new`."""
    folder = tmp_path_factory.mktemp("made")
    results(folder / "old")
    results(folder / "new", NEW)
    return folder


@pytest.fixture
def pair(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(made, tmp_path / "pair")
    return tmp_path / "pair/old", tmp_path / "pair/new"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def put(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text or name, encoding="utf-8")


def update(old: Path, new: Path) -> None:
    baseline.update(old, new, compare(old, new))


def test_the_tables_rows_and_figures_become_those_of_the_new_results(pair: tuple[Path, Path]) -> None:
    old, new = pair
    kept = ("README.md", "deeper/identity.csv", "generators/ours/seed0/generator.safetensors")
    put(old, "paper/table_9.md", "gone.csv", "figures/gone.png", *kept)
    put(new, "paper/table_1.md", "identity.md", "figures/a.png", "figures/a.svg", "outcomes.parquet", "deeper/x.csv")
    rows = {name: text for name, text in content(new).items() if name.startswith("rows/")}
    names = ("identity.csv", "identity_diagnostics.csv", "fewshot.csv", "identity.md")
    tables = {name: content(new)[name] for name in names}
    update(old, new)
    figures = {name: name.encode() for name in ("paper/table_1.md", "figures/a.png")}
    assert content(old) == rows | {name: name.encode() for name in kept} | tables | figures
    assert not compare(old, new).moved
    assert sorted(path.name for path in old.parent.iterdir()) == ["new", "old"]


def test_a_baseline_without_pictures_and_report_gets_none(pair: tuple[Path, Path]) -> None:
    old, new = pair
    put(new, "paper/figure_4.png", "paper/figure_4.csv", "figures/views.png", "report.html")
    update(old, new)
    assert "paper/figure_4.csv" in content(old)
    assert not list(old.rglob("*.png"))
    assert "report.html" not in content(old)


def test_a_baseline_with_a_report_gets_the_new_one(pair: tuple[Path, Path]) -> None:
    old, new = pair
    put(old, "report.html", text="old")
    put(new, "report.html", "figures/views.png")
    update(old, new)
    assert content(old)["report.html"] == b"report.html"
    assert not list(old.rglob("*.png"))


def test_fewer_training_seeds_are_refused(pair: tuple[Path, Path]) -> None:
    new, old = pair
    before = content(old)
    with pytest.raises(
        BenchmarkError, match=r"has fewer training seeds than .*new, .* \(ours 3 instead of 4\); `benchmark run"
    ):
        update(old, new)
    assert content(old) == before


@pytest.mark.parametrize("swapped", [False, True])
def test_only_folders_of_results_are_updated(pair: tuple[Path, Path], swapped: bool) -> None:
    folder, table = pair[0], pair[1] / "identity.csv"
    before = content(folder)
    with pytest.raises(BenchmarkError, match=r"identity\.csv is no folder of results"):
        update(*((folder, table) if swapped else (table, folder)))
    assert content(folder) == before


@pytest.mark.parametrize(
    "step", ["shutil.copytree", "shutil.copyfile", "shutil.rmtree", "pathlib.Path.unlink", "second rename"]
)
def test_an_end_on_the_way_leaves_the_old_results(
    pair: tuple[Path, Path], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pair
    before, found, rename = content(old), compare(old, new), Path.rename

    def ended(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def renamed(path: Path, target: Path) -> None:
        if path.name.endswith(".part"):
            raise KeyboardInterrupt
        rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(*(("pathlib.Path.rename", renamed) if step == "second rename" else (step, ended)))
        with pytest.raises(KeyboardInterrupt):
            baseline.update(old, new, found)
    assert content(old) == before


def test_a_folder_that_cannot_be_copied_is_said(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise shutil.Error([("a", "b", "No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(BenchmarkError, match="is unchanged, as something could not be copied: No space left on device"):
        update(*pair)


def test_a_folder_elsewhere_is_not_changed(pair: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = pair
    put(tmp_path / "elsewhere", "letter.md")
    (old / "paper").symlink_to(tmp_path / "elsewhere")
    put(new, "paper/table_1.md")
    with pytest.raises(BenchmarkError, match="old/paper is a link to another folder; the folder itself is"):
        update(old, new)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["letter.md"]


def test_results_are_stored_whole(made: Path, tmp_path: Path) -> None:
    new, stored = tmp_path / "new", tmp_path / "reference/quick"
    shutil.copytree(made / "old", new)
    pictures = ("paper/figure_4.png", "paper/figure_4.svg", "figures/methods.png", "figures/views.png")
    put(new, "report.html", *pictures, "outcomes.parquet")
    baseline.store(stored, new)
    assert not compare(stored, new).moved
    assert {"paper/figure_4.png", "figures/methods.png", "identity.csv"} < set(content(stored)) <= set(content(new))
    assert not {"report.html", "figures/views.png", "paper/figure_4.svg", "outcomes.parquet"} & set(content(stored))
    put(stored, "generators/ours/seed0/run.json", "figures/old.png", "report.html")
    baseline.store(stored, made / "new")
    assert content(stored)["generators/ours/seed0/run.json"]
    assert not {"report.html", "figures/old.png", "paper/figure_4.png"} & set(content(stored))
    with pytest.raises(BenchmarkError, match="old has fewer training seeds than"):
        baseline.store(stored, made / "old")
    with pytest.raises(BenchmarkError, match="nowhere is no folder of results"):
        baseline.store(tmp_path / "other", tmp_path / "nowhere")
    assert not (tmp_path / "other").exists()
