"""The split: identities that train the generators, and others that only judge them; the two sets share none."""

import math
from collections.abc import Iterable

import pandas as pd

from benchmark import seeding
from benchmark.config.settings import Data
from benchmark.config.values import Count
from benchmark.errors import BenchmarkError

PURPOSES = {"auxiliary": "train", "validation": "validate", "standard": "evaluate"}
LEAST = 2  # identities without which there is nothing to tell apart


def assign(manifest: pd.DataFrame, settings: Data) -> tuple[pd.DataFrame, str]:
    """Return the manifest with the columns split, identity_label and view_label, and one line for the user.

    split is `auxiliary` (training), `validation` (auxiliary identities never trained on) or `standard`; rows of
    identities in neither set are left out. identity_label counts the training identities in the order of their names
    and is -1 elsewhere; view_label is the position in `settings.views`. The split of the data set is used where every
    row prescribes one.

    Raises:
        BenchmarkError: there are too few identities, one stands in both splits, or no training image shows a view.
    """
    auxiliary, standard = _dealt(manifest, settings)
    order = seeding.rng("validation", settings.dataset).permutation(len(auxiliary))
    names = sorted(auxiliary)
    validation = sorted(names[i] for i in order[: validation_size(len(names), settings)])
    training = sorted(set(auxiliary) - set(validation))
    if len(training) < LEAST or len(standard) < LEAST:
        raise BenchmarkError(
            f"the split leaves {len(training)} identities for training and {len(standard)} for evaluation, each needs "
            f"at least {LEAST}; change data.auxiliary, data.standard or data.validation, or bring more identities"
        )
    groups = {"auxiliary": training, "validation": validation, "standard": standard}
    splits = {identity: split for split, identities in groups.items() for identity in identities}
    rows = manifest[manifest["identity"].isin(splits.keys())].reset_index(drop=True)
    result = rows.assign(
        split=rows["identity"].map(splits),
        identity_label=pd.Index(training).get_indexer(pd.Index(rows["identity"])),
        view_label=pd.Index(settings.views).get_indexer(pd.Index(rows["view"])),
    )
    seen = set(result.loc[result["split"] == "auxiliary", "view"])
    missing = [view for view in settings.views if view not in seen]
    if missing:
        raise BenchmarkError(
            f"no training image shows the view {missing[0]}; take it out of data.views or bring images of it"
        )
    dealt = {split: result.loc[result["split"] == split, "identity"] for split in PURPOSES}
    parts = [f"{len(dealt[s])} images of {dealt[s].nunique()} identities to {PURPOSES[s]}" for s in PURPOSES]
    unused = manifest["identity"].nunique() - result["identity"].nunique()
    return result, f"split: {', '.join(parts)}; {unused or 'no'} identities unused"


def _dealt(manifest: pd.DataFrame, settings: Data) -> tuple[list[str], list[str]]:
    """Return the auxiliary and the standard identities: as prescribed, or else as many as the settings ask for."""
    if manifest["split"].notna().all():
        splits = manifest.groupby("identity")["split"].agg(lambda values: "/".join(sorted(set(values))))
        both = splits.index[splits.str.contains("/")]
        if len(both):
            raise BenchmarkError(f"the identity {both[0]} stands in both splits; give all its images the same one")
        return sorted(splits.index[splits == "auxiliary"]), sorted(splits.index[splits == "standard"])
    names = sorted(set(manifest["identity"]))
    if settings.order == "random":
        order = seeding.rng("split", settings.dataset).permutation(len(names))
        names = [names[i] for i in order]
    first, second = sizes(settings, len(names))
    if second < 0 or first + second > len(names):
        raise BenchmarkError(
            f"data.auxiliary and data.standard ask for {first} and {max(second, 0)} identities, but only {len(names)} "
            "are left after filtering; ask for fewer, or for shares, such as data.auxiliary=0.8 and data.standard=null"
        )
    return names[:first], names[first : first + second]


def sizes(settings: Data, identities: int) -> tuple[int, int]:
    """Return how many of so many identities the settings ask for to be auxiliary, and how many to be standard.

    A share is rounded down: 0.8 of 1,477 is 1,181, and the paper's standard set has the other 296.
    """

    def size(count: Count) -> int:
        return count if isinstance(count, int) else math.floor(count * identities + 1e-9)  # 0.57 * 100 is below 57

    first = size(settings.auxiliary)
    return first, identities - first if settings.standard is None else size(settings.standard)


def possible(manifest: pd.DataFrame, sizes: Iterable[int]) -> list[int]:
    """Return the numbers of classes that the standard set has, or that of all its identities if it has none of them."""
    available = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    return [nc for nc in sizes if nc <= available] or [available]


def validation_identities(manifest: pd.DataFrame) -> int:
    """Return the number of identities to validate on, 0 where there are too few to tell apart."""
    found: int = manifest.loc[manifest["split"] == "validation", "identity"].nunique()
    return found if found >= LEAST else 0


def validation_size(auxiliary: int, settings: Data) -> int:
    """Return how many of `auxiliary` identities are kept from training: at least one, unless the share is 0."""
    return max(1, round(settings.validation * auxiliary)) if settings.validation else 0
