"""A project for each case, and the pictures that all share."""

from pathlib import Path

import pytest

from tests.hostile import places


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures; not to be changed."""
    folder = tmp_path_factory.mktemp("drawn")
    places.draw_pictures(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the working folder, with nothing but params.yaml."""
    project = places.new_project(tmp_path)
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def pictures(place: Path, drawn: Path) -> Path:
    """The folder `pictures` of the project."""
    return places.linked(drawn, place / "pictures")
