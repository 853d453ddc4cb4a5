"""annotations.csv of every kind beside good images, links that leave the root, and names that hypothesis makes up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import judge
from tests.hostile.made_up import made_up
from tests.hostile.places import linked, manifest, profile, table, write_settings
from tests.hostile.tables import LEGAL, REFUSED, changed, write


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_tables_are_refused(place: Path, pictures: Path, case: str) -> None:
    content, words = REFUSED[case]
    write(pictures, content)
    judge.refused(judge.stages(place), "" if case == "no rear images wanted" else "pictures/annotations.csv", *words)


@pytest.mark.parametrize("case", LEGAL)
def test_odd_tables_are_read_as_they_stand(place: Path, pictures: Path, case: str) -> None:
    content, right = LEGAL[case]
    write(pictures, content)
    judge.accepted(judge.stages(place))
    assert right(manifest(place))


LEAVING: dict[str, Callable[[Path], object]] = {
    "link to a file outside": lambda path: path.symlink_to("../../secret.png"),
    "absolute link": lambda path: path.symlink_to("/etc/hostname"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link in circles": lambda path: path.symlink_to(path.name),
    "link to a link outside": lambda path: (path.with_name("b").symlink_to("../.."), path.symlink_to("b/secret.png")),
}


@pytest.mark.parametrize("case", LEAVING)
def test_links_out_of_the_root_are_refused(place: Path, pictures: Path, case: str) -> None:
    linked(pictures, place.parent / "elsewhere")
    (place.parent / "elsewhere/000.png").rename(place.parent / "secret.png")
    LEAVING[case](pictures / "a.png")
    write(pictures, changed("image", "a.png"))
    judge.refused(judge.stages(place), "line 7", "'a.png' leads out of pictures")


def test_a_link_to_a_folder_outside_is_refused(place: Path, pictures: Path) -> None:
    linked(pictures, place / "elsewhere")
    (pictures / "more").symlink_to(place / "elsewhere")
    write(pictures, changed("image", "more/005.png"))
    judge.refused(judge.stages(place), "line 7", "'more/005.png' leads out of pictures")


def test_a_link_that_appears_after_prepare_is_refused(place: Path, pictures: Path) -> None:
    write(pictures, table().to_csv(index=False).encode())
    judge.accepted(judge.stages(place))
    (pictures / "003.png").unlink()
    (place / "secret.png").write_bytes((pictures / "004.png").read_bytes())
    (pictures / "003.png").symlink_to(place / "secret.png")
    judge.refused(judge.stages(place, judge.DATA[1:]), "003.png leads out of pictures")


def test_links_within_the_root_and_the_root_as_a_link_are_fine(place: Path, pictures: Path) -> None:
    (pictures / "a.png").symlink_to("000.png")
    (pictures / "more").symlink_to(".")
    pictures.rename(place.parent / "elsewhere")
    pictures.symlink_to(place.parent / "elsewhere")
    write(pictures, changed("image", "more/a.png"))
    judge.accepted(judge.stages(place))


OTHER_FILES = {**judge.NO_FILES, "link out of the root": lambda path: path.symlink_to("/etc/passwd")}


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("case", OTHER_FILES)
def test_what_is_no_table_is_refused(place: Path, pictures: Path, case: str, named: bool) -> None:
    OTHER_FILES[case](pictures / "annotations.csv")
    if named:
        write_settings(place, profile(annotations="annotations.csv"))
    judge.refused(judge.stages(place), "annotations.csv")


ROOTS = ("gone", "params.yaml", "a\0b", "x" * 5000, "/proc/self/mem", "\ud800", "home\n", "-", "~")


@pytest.mark.parametrize("root", ROOTS)
def test_roots_that_are_no_folder_are_refused(place: Path, root: str) -> None:
    write_settings(place, profile(root=root))
    judge.refused(judge.stages(place), "data.root")


@made_up
@example("\ufeff")
@given(text=st.text(min_size=1, max_size=30))
def test_any_text_is_an_identity_or_refused(place: Path, pictures: Path, text: str) -> None:
    write(pictures, changed("identity", text.replace("\ud800", "")))
    ended = judge.stages(place, judge.DATA[:1])
    if ended.code:
        judge.refused(ended, "pictures/annotations.csv")
    else:
        judge.accepted(ended)
        assert manifest(place).at["005.png", "identity"] == text.strip()


@made_up
@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(place: Path, pictures: Path, content: bytes) -> None:
    write(pictures, content)
    judge.refused(judge.stages(place, judge.DATA[:1]), "annotations.csv")
