"""The trees of the rehearsal hold what they say, and a count that is off by one is seen."""

from pathlib import Path

import pytest

from benchmark.config.settings import profile
from benchmark.data import adapters, filtering, images, splitting
from benchmark.data.manifest import Account
from tools.rehearsal import __main__ as rehearsal
from tools.rehearsal.trees import Expected

SHARES = {"compcars": 0.02, "multipie": 0.03, "crops": 0.03}


@pytest.mark.parametrize("dataset", SHARES)
def test_the_suite_counts_what_was_planned(tmp_path: Path, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MODELS", 1)
    monkeypatch.setattr(rehearsal, "SCENES", 1)
    expected = rehearsal.make(dataset, tmp_path, SHARES[dataset], 64)
    data = profile("compcars" if dataset == "compcars" else "multipie", tmp_path / "params.yaml").data
    changes = {"compcars": {}, "multipie": {"annotations": "points.csv"}, "crops": {}}[dataset]
    auxiliary = data.auxiliary if dataset == "compcars" else expected.identities[0]
    data = data.model_copy(update={"auxiliary": auxiliary, **changes})
    root = tmp_path / str(data.root)
    reading = adapters.read(data, root)
    kept, filtered = filtering.keep(reading.manifest, data)
    said = [reading.account, filtered, splitting.assign(kept, data)[1]]
    assert rehearsal.missing("\n".join(map(str, said)), expected, dry=True) == []
    assert reading.account.images_in == expected.images
    if dataset == "compcars":
        said.append(images.build(kept, root, 16, 0.1, tmp_path / "store")[1])
        assert rehearsal.missing("\n".join(map(str, said)), expected, dry=False) == []


def test_a_count_that_is_off_by_one_is_seen() -> None:
    account = Account("read", 9, 3, 7, 3, {"of uncertain view": 2})
    said = f"{account}\nsplit: 5 images of 2 identities to train, 2 images of 1 identities to evaluate; no identities"
    assert rehearsal.missing(said, Expected([account], (2, 1), 9), dry=True) == []
    other = Account("read", 9, 3, 6, 3, {"of uncertain view": 3})
    assert rehearsal.missing(said, Expected([other], (2, 1), 9), dry=True) == [str(other)]
    assert len(rehearsal.missing(said, Expected([account], (1, 2), 9), dry=True)) == 1
