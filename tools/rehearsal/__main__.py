"""Make data sets of the real size, go through the commands, and print what each took and whether it was right."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd
import yaml

from benchmark.config.settings import profile
from benchmark.reporting.sheets import Grid, Sheet, markdown
from benchmark.run import sources
from tools.rehearsal import pictures, trees
from tools.scale.memory import Peak, peak

MODELS, SCENES = 12, 3  # rendered cars and scenes of each, all from eight views
FACES = 300  # different pictures of faces
WIDTHS = {"compcars": 900, "multipie": 640, "crops": 128}  # pixels; a box of CompCars is `32 202 867 495`
HEAD = ["", "wall s", "CPU s", "own memory / with files, MB", "said"]
VIEWS, EACH = ("left", "right"), 5  # of the images of one size: views, and images of an identity
JUDGED = 20  # identities that train the judges
SIDE = 224  # pixels of the stored images of CompCars
FEW = 20  # ways of few-shot recognition

Row = list[str]


@click.group()
def rehearsal() -> None:
    """Rehearse a run with data sets of the real size; trees are removed afterwards unless a --folder is given."""


@rehearsal.command()
@click.argument("dataset", type=click.Choice(["compcars", "multipie", "crops"]))
@click.option("--share", default=1.0, help="Share of the images, models and people.")
@click.option("--store-at", type=int, help="Side of the stored images, where that of the profile takes too long.")
@click.option("--width", type=int, help="Width of the pictures in pixels, where the real one takes too long.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to make the project, and leave it.")
def prepare(dataset: str, share: float, store_at: int | None, width: int | None, folder: Path | None) -> None:
    """Make a tree in the layout of a data set, and prepare it, dry and in earnest."""
    with tempfile.TemporaryDirectory(dir=".") as temporary:
        project = (folder or Path(temporary)).absolute()
        expected = make(dataset, project, share, width or WIDTHS[dataset])
        name = "compcars" if dataset == "compcars" else "multipie"
        first, second = expected.identities
        few = [str(nc) for nc in profile(name, project / "params.yaml").evaluation.nc if nc <= second]
        options = ["--profile", name, "--no-estimate", "--nc", *(few or [str(second)])]
        options += ["--annotations", "points.csv"] if dataset == "multipie" else []
        smaller = ["--set", "fewshot.shots=[]"] if second < FEW else []
        options += [*smaller, "--set", f"data.auxiliary={first}"] if share < 1 and name == "multipie" else smaller
        size = ["--image-size", str(store_at)] if store_at else []
        found = {
            "prepare --dry": peak("benchmark", ["prepare", "--dry", *options], project),
            "prepare": peak("benchmark", ["prepare", "--name", "rehearsal", *options, *size], project),
        }
        for each in found.values():
            click.echo(each.said)
        wrong = {step: missing(each.said, expected, dry="dry" in step) for step, each in found.items()}
        rows = [row(step, each, "as planned" if not wrong[step] else "OTHER") for step, each in found.items()]
        table(f"{dataset}: {expected.images:,} images", rows)
        for step, lines in wrong.items():
            for line in lines:
                click.echo(f"{step} should have said: {line}")
        if any(wrong.values()):
            raise SystemExit(1)


def make(dataset: str, project: Path, share: float, width: int) -> trees.Expected:
    """Write `params.yaml` and the tree of a data set into a new folder."""
    project.mkdir(parents=True, exist_ok=True)
    shutil.copy(sources.PROJECT / "params.yaml", project)
    if dataset == "compcars":
        drawn = pictures.cars(project / "pictures", width, MODELS, SCENES)
        return trees.compcars(project / "data" / "CompCars", drawn, share)
    cropped = dataset == "crops"
    faces = pictures.noise(project / "pictures", (width, width if cropped else width * 3 // 4), FACES)
    return trees.multipie(project / "data" / "Multi-PIE", faces, share, 0 if cropped else width)


def missing(said: str, expected: trees.Expected, dry: bool) -> list[str]:
    """Return the lines that a command should have said and has not; reasons can stand in any order."""

    def parts(line: str) -> set[str]:
        return set(re.split(r"; dropped |; |, ", line))

    lines = [parts(line) for line in said.splitlines()]
    accounts = [account for account in expected.accounts if account.step != "store" or not dry]
    absent = [str(account) for account in accounts if parts(str(account)) not in lines]
    train, evaluate = expected.identities
    split = rf"split: \d+ images of {train} identities to train, .* images of {evaluate} identities to evaluate; no "
    return absent if re.search(split, said) else [*absent, split]


@rehearsal.command()
@click.option("--profile", "name", type=click.Choice(["compcars", "multipie"]), default="compcars")
@click.option("--model", "models", multiple=True, help="Models by name; default: all of the profile.")
@click.option("--images", type=int, multiple=True, default=(2, 4), help="Batch sizes, a process for each.")
@click.option("--what", type=click.Choice(["cycle", "turn"]), default="cycle", help="A training cycle, or generation.")
def cycles(name: str, models: tuple[str, ...], images: tuple[int, ...], what: str) -> None:
    """Do one cycle of each model with the settings of a profile, a process for each."""
    rows = []
    with tempfile.TemporaryDirectory(dir=".") as temporary:
        shutil.copy(sources.PROJECT / "params.yaml", temporary)
        for model in models or profile(name).models:
            for count in images:
                found = peak("tools.rehearsal.cycle", [name, model, what, str(count)], Path(temporary))
                rows.append(row(f"{model}, {count}", found, f"{float(found.said):.1f} CPU s"))
                click.echo(rows[-1], err=True)
    table(f"{what}, {name}", rows)


@rehearsal.command()
@click.option("--images", type=int, multiple=True, default=(2000, 20_000))
@click.option("--classes", type=int, multiple=True, default=(20, 200), help="N_c for each number of images.")
def pixels(images: tuple[int, ...], classes: tuple[int, ...]) -> None:
    """Store, feed and measure images of 224 px; the rest of the identities only lies in the store."""
    for count, nc in zip(images, classes, strict=True):
        with tempfile.TemporaryDirectory(dir=".") as temporary:
            project = Path(temporary).absolute()
            table_project(project, count, nc)
            steps = {
                "prepare": ("benchmark", ["prepare", "--profile", "scale", "--no-estimate"]),
                "feed": ("tools.rehearsal.pixels", ["feed"]),
                "measure": ("tools.rehearsal.pixels", ["measure"]),
            }
            found = {step: peak(module, arguments, project) for step, (module, arguments) in steps.items()}
            rows = [row(step, each, each.said.strip().splitlines()[-1]) for step, each in found.items()]
            table(f"{count:,} images of {SIDE} px: {count * 3 * SIDE**2 / 1e6:,.0f} MB of pixels", rows)


def table_project(project: Path, images: int, nc: int) -> None:
    """Write a project whose images have identities of EACH images; JUDGED of them train, and `nc` are measured."""
    drawn = pictures.noise(project / "pictures", (256, 192), FACES, "jpg")
    rows = [(f"{n:06}.jpg", f"id{n // EACH:05}", VIEWS[n % len(VIEWS)]) for n in range(images)]
    (project / "photos").mkdir()
    for number, (name, _, _) in enumerate(rows):
        os.link(drawn[number % FACES], project / "photos" / name)
    labels = pd.DataFrame(rows, columns=["image", "identity", "view"])
    labels.to_csv(project / "photos" / "annotations.csv", index=False)
    data = {
        "dataset": "table",
        "root": "photos",
        "image_size": SIDE,
        "views": list(VIEWS),
        "validation": 0,
        "minimum_images": EACH,
    }
    scale = {
        "name": "scale",
        "models": ["vanilla"],
        "data": {**data, "auxiliary": JUDGED, "standard": nc},
        "training": {"images": 64},
        "extractor": {"epochs": 1, "view_epochs": 1},
        "evaluation": {"nc": [nc], "batch_size": 64},
        "fewshot": {"shots": []},
    }
    params = {"active": "scale", "models": ["vanilla"], "profiles": {"scale": scale}}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def row(name: str, found: Peak, said: str) -> Row:
    """Return a line of the table."""
    memory = f"{found.anonymous:,.0f} / {found.resident:,.0f}"
    return [name, f"{found.seconds:,.0f}", f"{found.cpu:,.0f}", memory, said]


def table(title: str, rows: Sequence[Row]) -> None:
    """Print a table."""
    click.echo(markdown(Sheet(title, [Grid(HEAD, list(rows))])))


if __name__ == "__main__":
    rehearsal()
