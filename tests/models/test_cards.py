"""Cards: what a model says of itself, read from its source and that of its bases."""

from pathlib import Path

import pytest

from models import cards
from models.cards import Card
from models.registry import Entry, entries
from tests.tools import TINY

BASE = '''"""A file of models."""

from models.interface import ViewModel


class _Base(ViewModel):
    citation = "Base, 2001"
    labels: str = "identity"


class Mine(_Base):
    """Mine.

    More of it.
    """

    updates = ("generator 1, " "discriminator 2")
'''
OURS = {"citation": "Xiong et al., CVPR 2020", "labels": "identity, view"}


def written(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", entries())
def test_the_card_of_every_registered_model_is_complete(name: str) -> None:
    entry = entries()[name]
    assert "-" not in vars(entry.card).values()
    assert not entry.card.summary.startswith("cannot be read")


@pytest.mark.parametrize("name", entries())
def test_what_is_read_is_what_the_class_says(name: str) -> None:
    card, model = entries()[name].card, entries()[name].load()
    assert (card.citation, card.labels, card.updates) == (model.citation, model.labels, model.updates)
    assert card.summary == str(model.__doc__).partition("\n")[0]


def test_attributes_come_from_bases_in_other_files() -> None:
    assert entries()["unet_noaim"].card == Card(
        "The U-net with plain batch norm instead of AIM.", **OURS, updates="discriminator 1, generator 1 (faces 4)"
    )


def test_attributes_come_from_bases_in_the_same_file(tmp_path: Path) -> None:
    card = Card("A file of models.", "Base, 2001", "identity", "generator 1, discriminator 2")
    assert cards.read(written(tmp_path, BASE)) == card


@pytest.mark.parametrize(
    ("imported", "base"),
    [
        ("from models.ours import Ours", "Ours"),
        ("from models.ours import Ours as Theirs", "Theirs"),
        ("from models import ours", "ours.Ours"),
        ("import models.ours", "models.ours.Ours"),
        ("import models.ours as theirs", "theirs.Ours"),
        ("from models.ablations import Ours", "Ours"),  # which imports it itself
    ],
)
def test_every_way_to_import_a_base(imported: str, base: str, tmp_path: Path) -> None:
    card = cards.read(
        written(tmp_path, f'{imported}\n\n\nclass Mine({base}):\n    """Mine."""\n\n    labels = "view"\n')
    )
    assert card == Card("Mine.", OURS["citation"], "view", "discriminator 1, generator 1 (faces 4)")


def test_the_first_base_that_says_something_counts(tmp_path: Path) -> None:
    part = "from models.ours import Ours\n\n\nclass _Part:\n    labels = 'view'\n\n\n"
    card = cards.read(written(tmp_path, f"{part}class Mine(_Part, Ours):\n    citation = ''\n"))
    assert (card.citation, card.labels) == (OURS["citation"], "view")


def test_a_model_that_says_nothing() -> None:
    assert cards.read(TINY) == Card("A tiny model: one convolution that learns to give its input back.")


def test_what_is_no_plain_string_counts_as_not_said(tmp_path: Path) -> None:
    text = "from models.interface import ViewModel\n\n\nclass Mine(ViewModel):\n    citation = 'a'.upper()\n"
    assert cards.read(written(tmp_path, f"{text}    labels = 3\n")) == Card("-")


def test_helpers_beside_the_model_do_not_count(tmp_path: Path) -> None:
    helpers = "\n\nclass Layer:\n    citation = 'no'\n\n\nclass Norm(torch.nn.Module):\n    labels = 'no'\n"
    assert cards.read(written(tmp_path, BASE + helpers)).citation == "Base, 2001"


@pytest.mark.parametrize("more", ["\n\nclass Other(Mine):\n    pass\n", ""])
def test_a_file_with_no_model_or_two_is_summed_up_by_its_own_docstring(more: str, tmp_path: Path) -> None:
    text = BASE + more if more else '"""A file of models."""\n'
    assert cards.read(written(tmp_path, text)) == Card("A file of models.")


def test_bases_that_go_in_a_circle_or_nowhere(tmp_path: Path) -> None:
    circle = "class A(B):\n    labels = 'view'\n\n\nclass B(A, Gone):\n    pass\n\n\nfrom models.gone import Gone\n"
    assert cards.read(written(tmp_path, circle), "B") == Card("-", labels="view")


@pytest.mark.parametrize("content", [b"def (", b"\xff\xfe", b"x = '\0'", b"class A(models.\n"])
def test_a_file_that_cannot_be_parsed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    card = entries([path])["mine"].card
    assert card.summary.startswith("cannot be read: ")
    assert "\n" not in card.summary
    assert card.citation == card.labels == card.updates == "-"


@pytest.mark.parametrize(
    "target", ["gone.models:Gone", "models.gone:Gone", "failing:Mine", "failing.part:Mine", "gone.py"]
)
def test_an_entry_that_leads_nowhere(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "failing"
    package.mkdir()
    written(package, "raise RuntimeError('not today')", "__init__")
    monkeypatch.syspath_prepend(tmp_path)
    summary = Entry("mine", target).card.summary
    assert summary == "-" if target == "failing:Mine" else summary.startswith("cannot be read: ")
