"""Names, plug-ins, and that listing costs no torch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lightning_fabric import Fabric

from models.interface import ViewModel
from models.registry import Entry, UnknownModelError, entries, find
from tests.tools import PROJECT, TINY, RandomBatches, arguments, spec

NO_MODEL = '"""Nothing."""\nfrom models.interface import ViewModel\n'
ONE_MORE = "\n\nclass Other(Tiny):\n    pass\n"


def test_every_built_in_name_leads_to_a_model() -> None:
    for name, entry in entries().items():
        assert entry.name == name
        assert issubclass(entry.load(), ViewModel)
        assert entry.source.is_file()


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    assert entries()["ours"].summary == "The full model: CNC on the 28x28 map, and AIM."


def test_listing_imports_no_torch_and_finds_new_files(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TINY, tmp_path / "models" / "dropped_in.py")
    code = (
        "import sys, models.registry as r; e = r.entries(); assert r.__file__.startswith(sys.argv[1]), r.__file__; "
        "print(*e, e['dropped_in'].summary, 'torch' in sys.modules, sep='|')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *names, summary, torch = done.stdout.strip().split("|")
    assert names == [*entries(), "dropped_in"]
    assert summary == "A tiny model: one convolution that learns to give its input back."
    assert torch == "False"


@pytest.mark.parametrize(("name", "hint"), [("vanila", "; did you mean vanilla?"), ("xyzzy", "")])
def test_unknown_name(name: str, hint: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        find(name)
    assert str(error.value) == f"there is no model {name}: there are {', '.join(entries())}{hint}"


def plugin(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plugin_trains(tmp_path: Path, fabric: Fabric) -> None:
    path = plugin(tmp_path, "mine", TINY.read_text(encoding="utf-8"))
    entry = find("mine", [path])
    assert entry.source == path
    model = entry.load()(spec())
    model.setup(fabric)
    batches = RandomBatches(spec())
    first, second = (model.cycle(batches, fabric, progress) for progress in (0.0, 0.5))
    assert first.images == second.images == 4
    assert model.generate(*arguments(spec())).shape == (4, 3, 32, 32)
    assert "mine" not in entries()


def test_a_plugin_may_import_other_models(tmp_path: Path) -> None:
    text = "from models.ours import Ours\n\n\nclass Mine(Ours):\n    pass\n\n\nclass _Part(Mine):\n    pass\n"
    assert find("mine", [plugin(tmp_path, "mine", text)]).load().__name__ == "Mine"


@pytest.mark.parametrize(("extra", "count"), [("none", 0), ("two", 2)])
def test_a_plugin_holds_one_model(tmp_path: Path, extra: str, count: int) -> None:
    text = NO_MODEL if extra == "none" else TINY.read_text(encoding="utf-8") + ONE_MORE
    path = plugin(tmp_path, f"with_{extra}", text)
    with pytest.raises(UnknownModelError, match=f"exactly one subclass of ViewModel, found {count}"):
        find(path.stem, [path]).load()


@pytest.mark.parametrize(
    ("text", "words"), [("def (", "SyntaxError"), ("import nothing_like_it", "ModuleNotFoundError")]
)
def test_a_plugin_that_cannot_be_imported(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    entry = find("mine", [path])
    assert "\n" not in entry.summary
    with pytest.raises(UnknownModelError, match=f"mine.py cannot be imported: {words}"):
        entry.load()


def test_a_plugin_needs_a_name_of_its_own(tmp_path: Path) -> None:
    path = plugin(tmp_path, "ours", TINY.read_text(encoding="utf-8"))
    with pytest.raises(UnknownModelError, match="takes the name ours of another model; rename the file"):
        entries([path])
    with pytest.raises(UnknownModelError, match=r"missing\.py does not exist"):
        entries([tmp_path / "missing.py"])


def test_a_target_that_cannot_be_found() -> None:
    with pytest.raises(UnknownModelError, match="cannot be imported"):
        _ = Entry("gone", "models.gone:Gone").source


def test_the_sources_of_an_installed_model_are_its_whole_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "their_package" / "inner"
    inner.mkdir(parents=True)
    files = [tmp_path / "lone_module.py", inner.parent / "__init__.py", inner / "__init__.py", inner / "model.py"]
    for path in [*files, inner.parent / "layers.py"]:
        path.write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert Entry("theirs", "their_package.inner.model:Model").sources == sorted(inner.parent.rglob("*.py"))
    assert Entry("theirs", "their_package.inner:Model").sources == sorted(inner.parent.rglob("*.py"))
    assert Entry("lone", "lone_module:Model").sources == [tmp_path / "lone_module.py"]
