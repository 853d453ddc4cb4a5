"""Do the results support what the paper claims? Each order that it claims, tested on the same images."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from benchmark.evaluation.comparison import difference, holm, verdict
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.statistics import Totals
from benchmark.reporting import published
from benchmark.reporting.references import Claim, load
from benchmark.results.records import Measured
from benchmark.results.rows import Rows

SUPPORTED, CONTRADICTED, CANNOT_TELL = "supported", "contradicted", "cannot tell"
MEANING = {"higher": SUPPORTED, "lower": CONTRADICTED}  # of the verdicts of `comparison`
MISSING = "not measured: "
SIZE = ["nc", "way", "shot"]
NUMBERS = ["margin", "published", "difference", "ci_low", "ci_high", "n_seeds", "p"]
COLUMNS = ["profile", "exhibit", "claim", "metric", *SIZE, "higher", "lower", *NUMBERS, "p_holm", "verdict", "reason"]

Outcomes = dict[tuple[str, str, int | None], Totals]  # by measurement, model, and N_c or number of shots


@dataclass(frozen=True)
class Part:
    """What a claim says of one pair of models in one measurement; `size` is the N_c or the number of shots."""

    claim: Claim
    measurement: str
    metric: str
    size: int | None
    higher: str
    lower: str


def claims_table(rows: Rows) -> pd.DataFrame:
    """Return every claim taken apart: a row for each metric, N_c (random split) or number of shots, and pair of models.

    `difference`, with its 95 % interval, is `higher` less `lower` in the results; `published` is the same in the paper,
    where it prints both for as many classes and shots. The difference is tested against `margin`, zero but where the
    claim names one: with three common training seeds or more by a paired t test over the seeds, with p adjusted by
    Holm's method for all rows of the same exhibit and metric. With fewer seeds the interval is the paired bootstrap
    over classes and images, and there is no p.

    Returns:
        The COLUMNS. `verdict` is SUPPORTED, CONTRADICTED or CANNOT_TELL, `reason` why one cannot tell.
    """
    outcomes, settings = _outcomes(rows), rows.facts.settings
    parts = list(_parts(outcomes, settings.data.dataset))
    by_images = sorted(parts, key=lambda part: (part.measurement, part.size or 0))  # they share their resamples
    found = {part: _found(part, outcomes) for part in by_images}
    lines = [_named(part, settings.fewshot.ways) | found[part] for part in parts]
    table = pd.DataFrame(lines, columns=COLUMNS).assign(profile=rows.facts.name).astype(dict.fromkeys(NUMBERS, float))
    return _judged(table).astype(dict.fromkeys([*SIZE, "n_seeds"], "Int64"))


def _outcomes(rows: Rows) -> Outcomes:
    random, shots = [each for each in rows.identity if each.split == "random"], rows.facts.settings.fewshot.shots
    seeds = sorted({int(seed) for each in random for seed in each.outcomes["seed"].unique()})
    outcomes: Outcomes = {("identity", each.model, each.nc): _of_all(each, seeds) for each in random}
    return outcomes | {("fewshot", each.model, shot): each.totals(shot) for each in rows.fewshot for shot in shots}


def _of_all(each: Measured, seeds: Sequence[int]) -> Totals:
    """Return the outcomes of a model; those of a control, where nothing is trained, stand for each of the seeds."""
    if each.model not in OF_IDENTITY:
        return each.totals
    alike = ({seed: table.droplevel("seed") for seed in seeds} for table in (each.totals.sums, each.totals.counts))
    return Totals(*(pd.concat(tables, names=["seed"]) for tables in alike))


def _parts(outcomes: Outcomes, dataset: str) -> Iterator[Part]:
    """Yield the parts of all claims; of a measurement that was not made there is one for each pair, without a size."""
    shown = load().exhibits_for(dataset)
    for claim in load().claims:
        if claim.exhibit in shown:
            kind = str(shown[claim.exhibit].measurement)
            measured = sorted({size for measurement, _, size in outcomes if measurement == kind and size})
            sizes: Sequence[int | None] = claim.at or measured or [None]
            for pair in product(claim.metrics, sizes, claim.higher, claim.lower):
                yield Part(claim, kind, *pair)


def _named(part: Part, ways: int) -> dict[str, object]:
    claim = part.claim
    size = {"nc": part.size} if part.measurement == "identity" else {"way": ways, "shot": part.size}
    printed = published.printed(claim.exhibit)
    higher, lower = (printed.get((model, part.metric, *size.values())) for model in (part.higher, part.lower))
    return {
        "exhibit": load().exhibits[claim.exhibit].name,
        "claim": claim.claim,
        **{"metric": part.metric, "higher": part.higher, "lower": part.lower, "margin": claim.margin / 100},
        **size,
        "published": None if higher is None or lower is None else higher - lower,
    }


def _found(part: Part, outcomes: Outcomes) -> dict[str, Any]:
    """Return difference, ci_low, ci_high, n_seeds and p of the pair, or the reason why there are none."""
    rates = {model: _rate(part, model, outcomes) for model in (part.higher, part.lower)}
    there = [rate for rate in rates.values() if rate is not None]
    if len(there) < len(rates):
        return {"reason": MISSING + ", ".join(model for model, rate in rates.items() if rate is None)}
    higher, lower = there
    margin = part.claim.margin / 100
    found = difference(higher, Totals(lower.sums + margin * lower.counts, lower.counts))
    return found | {name: found[name] + margin for name in ("difference", "ci_low", "ci_high") if name in found}


def _rate(part: Part, model: str, outcomes: Outcomes) -> Totals | None:
    """Return the rate of one model, None if it applies to nothing."""
    measured = outcomes.get((part.measurement, model, part.size))
    return measured.of(part.metric) if measured and measured.counts[part.metric].sum() else None


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    adjusted = table.assign(p_holm=table.groupby(["exhibit", "metric"])["p"].transform(holm))
    judged = [_verdict(row) for row in adjusted.to_dict("records")]
    return adjusted.assign(verdict=[said for said, _ in judged], reason=[reason for _, reason in judged])


def _verdict(row: Mapping[Any, Any]) -> tuple[str, str]:
    if isinstance(row["reason"], str):
        return CANNOT_TELL, row["reason"]
    said = verdict(row["difference"] - row["margin"], int(row["n_seeds"]), row["p_holm"])
    return (MEANING[said], "") if said in MEANING else (CANNOT_TELL, said)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each claim of `claims_table`, in its order.

    `parts` counts its rows, `measured` those with a difference, `in_order` those whose difference is above the margin,
    whatever the test says; SUPPORTED, CONTRADICTED and CANNOT_TELL count their verdicts. `verdict` is CONTRADICTED if
    any part is, SUPPORTED if all are, otherwise CANNOT_TELL, and `reason` then says why, with the number of parts.
    """
    claims = table.groupby(["profile", "exhibit", "claim"], sort=False)
    return pd.DataFrame([dict(zip(claims.keys, key, strict=True)) | _summed(parts) for key, parts in claims])


def _summed(parts: pd.DataFrame) -> dict[str, object]:
    verdicts = {name: int((parts["verdict"] == name).sum()) for name in (SUPPORTED, CONTRADICTED, CANNOT_TELL)}
    said = CONTRADICTED if verdicts[CONTRADICTED] else CANNOT_TELL if verdicts[CANNOT_TELL] else SUPPORTED
    in_order = int((parts["difference"] > parts["margin"]).sum())
    counts = {"parts": len(parts), "measured": int(parts["difference"].count()), "in_order": in_order}
    return {**counts, **verdicts, "verdict": said, "reason": _why(parts["reason"]) if said == CANNOT_TELL else ""}


def _why(reasons: "pd.Series[str]") -> str:
    """Return the reasons with the number of parts that each holds for; the models that are missing stand once."""
    missing = reasons[reasons.str.startswith(MISSING)]
    models = dict.fromkeys(model for names in missing.str.removeprefix(MISSING) for model in names.split(", "))
    counts: dict[Hashable, int] = {MISSING + ", ".join(models): len(missing)} if len(missing) else {}
    counts |= reasons[(reasons != "") & ~reasons.isin(missing)].value_counts(sort=False).to_dict()
    return "; ".join(f"{reason} ({count})" for reason, count in counts.items())
