"""The import closure, and hashes that see code but no prose."""

import sys
from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.run import sources
from benchmark.run.sources import closure, hashes, remember


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in place of this one."""
    files = {
        "benchmark/__init__.py": "",
        "benchmark/start.py": "import os\nimport benchmark.first\nfrom benchmark import second\n",
        "benchmark/first.py": "from models import third\n",
        "benchmark/second.py": "def later():\n    from benchmark.deep.inner import value\n    return value\n",
        "benchmark/deep/__init__.py": "",
        "benchmark/deep/inner.py": "from benchmark.start import nothing\nvalue = 1\n",
        "benchmark/deep/near.py": "from . import inner\nfrom ..second import later\nfrom ..deep.near import nothing\n",
        "benchmark/unused.py": "import benchmark.first\n",
        "models/__init__.py": "",
        "models/third.py": "TARGETS = {'lazy': 'models.lazy:Model', 'web': 'example.org', 'odd': 'models.no such'}\n",
        "models/lazy.py": "import torch\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sources, "PROJECT", tmp_path)
    clear()
    yield tmp_path
    clear()


def clear() -> None:
    sources._imports.cache_clear()
    sources.code_hash.cache_clear()


def names(tree: Path, *roots: str | Path) -> list[str]:
    return [path.relative_to(tree).as_posix() for path in closure(*roots)]


def test_direct_indirect_lazy_and_circular_imports(tree: Path) -> None:
    assert names(tree, "benchmark.start") == [
        "benchmark/__init__.py",
        "benchmark/deep/__init__.py",
        "benchmark/deep/inner.py",
        "benchmark/first.py",
        "benchmark/second.py",
        "benchmark/start.py",
        "models/__init__.py",
        "models/lazy.py",
        "models/third.py",
    ]


def test_targets_written_as_strings_are_imports(tree: Path) -> None:
    assert "models/lazy.py" in names(tree, "models.third")
    (tree / "models" / "third.py").write_text("TARGETS = {}\n", encoding="utf-8")
    clear()
    assert "models/lazy.py" not in names(tree, "models.third")


def test_relative_imports(tree: Path) -> None:
    assert {"benchmark/deep/inner.py", "benchmark/second.py"} < set(names(tree, "benchmark.deep.near"))


def test_several_roots_and_a_file_outside(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("plugins") / "mine.py"
    outside.write_text("from benchmark.deep import inner\n", encoding="utf-8")
    found = closure(outside, "models.lazy")
    assert outside in found
    assert {tree / "benchmark/deep/inner.py", tree / "models/lazy.py"} <= set(found)
    assert hashes([outside]).keys() == {"mine.py"}


def test_modules_beside_a_file_outside_are_followed(tmp_path: Path) -> None:
    for name, text in {
        "mine.py": "import helper\nfrom more import parts\n",
        "helper.py": "",
        "more/parts.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = {path.relative_to(tmp_path).as_posix() for path in closure(tmp_path / "mine.py")}
    assert found == {"mine.py", "helper.py", "more/parts.py"}


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def (", encoding="utf-8")
    with pytest.raises(BenchmarkError, match=r"mine\.py is no valid Python: .*line 1"):
        hashes([tmp_path / "mine.py"])


def test_files_of_an_installed_package_that_have_the_same_name(tmp_path: Path) -> None:
    package = tmp_path / "package"
    files = [package / "__init__.py", package / "layers" / "__init__.py", package / "layers" / "blocks.py"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"X = {str(path.parent)!r}\n", encoding="utf-8")
    found = hashes([Path(sources.__file__), *files])
    names = [f"package/{name}" for name in ("__init__.py", "layers/__init__.py", "layers/blocks.py")]
    assert list(found) == ["benchmark/run/sources.py", *names]
    assert found[names[0]] != found[names[1]]


def test_modules_that_are_not_ours_are_left_out(tree: Path) -> None:
    assert closure("torch.nn", "benchmark.missing") == []


CODE = '''"""Module."""

X = 1  # one


class A:
    """Class."""

    def f(self):
        """Function."""
        return X
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# one", "# another comment", True),
        ('"""Module."""', '"""Other."""', True),
        ('"""Class."""', '"""Other."""', True),
        ('"""Function."""', '"""Other,\n        over two lines.\n        """', True),
        ('        """Function."""\n', "", True),
        ('    """Class."""\n\n', "", True),
        ("X = 1  #", "X   =   1  #", True),
        ("X = 1", "X = 2", False),
        ("return X", "return -X", False),
        ("class A:", "class B:", False),
        ("return X", "return 'a string that is no docstring'", False),
    ],
)
def test_hashes_see_code_alone(tmp_path: Path, old: str, new: str, same: bool) -> None:
    assert old in CODE
    for name, text in (("a.py", CODE), ("b.py", CODE.replace(old, new))):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = hashes([tmp_path / "a.py"])["a.py"], hashes([tmp_path / "b.py"])["b.py"]
    assert (first == second) == same


def test_what_runs_is_not_what_is_edited_meanwhile(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, other = tree / "models" / "lazy.py", tree / "models" / "third.py"
    monkeypatch.setitem(sys.modules, "models.lazy", sys)
    monkeypatch.delitem(sys.modules, "models.third", raising=False)
    remember()
    for path in (running, other):
        path.write_text("X = 'edited'\n", encoding="utf-8")
    now = hashes([running, other])
    clear()
    edited = hashes([running, other])
    assert now["models/lazy.py"] != edited["models/lazy.py"]
    assert now["models/third.py"] == edited["models/third.py"]


def test_hashes_are_the_same_in_every_version_of_python(tmp_path: Path) -> None:
    code = "class A:\n    def f(self, x=None):\n        return f\"{x['a']} {self.f()}\", f'{x:>{self.w}}'\n"
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    assert hashes([tmp_path / "a.py"]) == {"a.py": "e37401ea8b3195f2"}


def test_a_body_of_nothing_but_a_docstring(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('class A(Exception):\n    """Doc."""\n', encoding="utf-8")
    (tmp_path / "b.py").write_text("class A(Exception):\n    pass\n", encoding="utf-8")
    assert len(set(hashes([tmp_path / "a.py", tmp_path / "b.py"]).values())) == 1


def test_a_model_depends_on_its_layers_but_not_on_the_command_line() -> None:
    found = {path.relative_to(sources.PROJECT).as_posix() for path in closure("benchmark.training.loop", "models.ours")}
    assert {"models/ours.py", "models/layers/connection.py", "models/layers/plan.py", "benchmark/seeding.py"} <= found
    assert not {"benchmark/cli.py", "models/ablations.py", "models/registry.py", "benchmark/stages/train.py"} & found
