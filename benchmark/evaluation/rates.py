"""Rates of a generated image: 0 or 1 for each."""

import numpy as np
import pandas as pd


def rates(outcome: pd.DataFrame, nc: int) -> pd.DataFrame:
    """Return the rates of each outcome as 0 or 1: top1, top5, view and joint (identity first and view right)."""
    measured = recognised(outcome["rank"], nc).assign(view=outcome["view_right"].astype(float))
    return measured.assign(joint=measured["top1"] * measured["view"])


def recognised(rank: pd.Series, nc: int) -> pd.DataFrame:
    """Return top1 and top5 of each rank as 0 or 1.

    With ten classes or fewer top-5 says little; it is not a number there.
    """
    top5 = rank < 5 if nc > 10 else np.nan
    return pd.DataFrame({"top1": rank == 0, "top5": top5}, index=rank.index, dtype=float)
