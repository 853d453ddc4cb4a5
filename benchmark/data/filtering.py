"""Filtering of images: those of the chosen views are kept, of identities that have enough of them."""

import json

import pandas as pd

from benchmark.config.settings import Data
from benchmark.data.manifest import Account
from benchmark.errors import BenchmarkError


def keep(manifest: pd.DataFrame, settings: Data) -> tuple[pd.DataFrame, Account]:
    """Return the rows of `settings.views` whose identity has at least `settings.minimum_images` of them.

    Raises:
        BenchmarkError: no image is left, or none of one of the views.
    """
    wanted = manifest["view"].isin(settings.views)
    seen = manifest[wanted]
    enough = seen.groupby("identity")["view"].transform("size") >= settings.minimum_images
    kept = seen[enough].reset_index(drop=True)
    others = manifest.loc[~wanted, "view"]
    named = ("of view " + others).mask(others.str.startswith("rear"), "rear views")
    dropped = {str(reason): int(count) for reason, count in named.value_counts().sort_index().items()}
    dropped[f"in identities with fewer than {settings.minimum_images} images"] = int((~enough).sum())
    identities = manifest["identity"].nunique(), kept["identity"].nunique()
    account = Account("filter", len(manifest), identities[0], len(kept), identities[1], dropped)
    if kept.empty:
        raise BenchmarkError(f"no image is left ({account}); change data.views or lower data.minimum_images")
    missing = [view for view in settings.views if view not in set(kept["view"])]
    if missing:
        there = [view for view in settings.views if view not in missing]
        ways = f"data.views={json.dumps(there)} leaves {'it' if len(missing) == 1 else 'them'} out"
        ways = ways if len(there) > 1 else "bring images of two views or more, and name them in data.views"
        if set(missing) & set(seen["view"]):
            ways = f"lower data.minimum_images, which is {settings.minimum_images}, or {ways}"
        raise BenchmarkError(f"no image of {' and '.join(missing)} is left ({account}); {ways}")
    return kept, account
