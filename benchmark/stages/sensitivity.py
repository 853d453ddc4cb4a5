"""Sensitivity of the identity measurement to the number of neighbours and the distance."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmark.data import splitting
from benchmark.data.image_store import open_store
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.draws import draw, measurable
from benchmark.evaluation.identity import class_codes, draw_ranks
from benchmark.evaluation.rates import recognised
from benchmark.execution.tasks import controls
from benchmark.files import write_text
from benchmark.making.outputs import load
from benchmark.reporting import sensitivity as reporting
from benchmark.reporting.sheets import headed, markdown
from benchmark.results.rates import view_weights
from benchmark.results.rows import write_csv
from benchmark.run.artifacts import Artifact, made
from benchmark.run.cache import is_done
from benchmark.run.workspace import Run

NEIGHBOURS = (1, 5, 10, 20)
METRICS = ("euclidean", "cosine")


def sensitivity(run: Run, models: Sequence[str] = (), nc: Sequence[int] = ()) -> None:
    """Write `sensitivity.csv` and `.md` from the stored features.

    The profile's own number of neighbours is a setting too. Nothing is trained or generated.

    Args:
        run: the run.
        nc: numbers of classes; by default those that are measured.
        models: models shown beside the controls; default: every measured one.

    Raises:
        BenchmarkError: nothing is measured, or all of it is out of date.
    """
    own = run.settings.evaluation.neighbours
    outputs: dict[str, list[Artifact]] = {}
    measured: set[int] = set()
    for artifact, _ in made(run):
        if artifact.kind == "outputs" and artifact.measured == "identity":
            outputs.setdefault(artifact.name, []).append(artifact)
        if artifact.kind == "outcomes" and artifact.measured == "identity":
            measured.add(artifact.nc)
    sizes = sorted(nc or measured) or run.settings.evaluation.nc
    names = [*controls(run, OF_IDENTITY), *models] if models else sorted(outputs)
    neighbours = sorted({*NEIGHBOURS, own})
    found = [rates for name in names for rates in _rates(run, name, outputs.get(name, []), neighbours, sizes)]
    if not found:
        raise BenchmarkError(
            f"nothing is measured in {run.folder}, or all of it is out of date; run `benchmark run` or `dvc repro`"
        )
    table = reporting.sensitivity_table(pd.concat(found), run.name)
    write_csv(table, run.results / "sensitivity.csv")
    sheet = headed(reporting.sheet(table, own), run.name, run.settings.data.label(run.name))
    write_text(run.results / "sensitivity.md", markdown(sheet))


def _rates(
    run: Run, name: str, outputs: list[Artifact], neighbours: list[int], sizes: Sequence[int]
) -> Iterator[pd.DataFrame]:
    """Yield top-1 and top-5 over all draws, for each number of neighbours, metric, split and N_c.

    One table for each training seed whose features are stored and up to date.
    """
    manifest = open_store(run).manifest
    codes, evaluation = class_codes(manifest), run.settings.evaluation
    source = manifest["view_label"].to_numpy()
    of_real = Artifact("outputs", "real")
    current = [each for each in outputs if is_done(run, of_real) and is_done(run, each)]
    if not current:
        print(f"{name}: left out, not measured or out of date; measure it to have it in the table")
    for artifact in current:
        print(f"{name} seed {artifact.seed}: K {', '.join(map(str, neighbours))}, {' and '.join(METRICS)}")
        real, generated = load(run, of_real), load(run, artifact)
        for split, nc in measurable(manifest, splitting.possible(manifest, sizes))[0]:
            draws = [
                draw(manifest, run.settings.data.dataset, nc, number, evaluation.test_share, split)
                for number in range(evaluation.draws)
            ]
            tested = [generated.of(each.test) for each in draws]
            target, position = (np.concatenate([getattr(t, name) for t in tested]) for name in ("target", "position"))
            weights = view_weights(pd.DataFrame({"source": source[position], "target": target}))
            for metric in METRICS:
                ranks = np.concatenate([draw_ranks(each, codes, real, generated, neighbours, metric) for each in draws])
                right = [recognised(pd.Series(rank), nc).apply(np.average, weights=weights) for rank in ranks.T]
                facts: dict[str, Any] = {"metric": metric, "n_draws": len(draws), "model": name, "seed": artifact.seed}
                yield pd.DataFrame(right).assign(neighbours=neighbours, split=split, nc=nc, **facts)
