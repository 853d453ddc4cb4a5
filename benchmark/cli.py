"""The command `benchmark`. Heavy imports stand inside the commands, so that help and lists come at once."""

import sys
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from benchmark.errors import BenchmarkError
from benchmark.exits import clean_exit, end
from benchmark.options import SeveralValues, Whole, WholeOr

if TYPE_CHECKING:
    from benchmark.settings import Profile
    from benchmark.workspace import Run
    from models.registry import Entry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="viewpoint-benchmark")
def cli() -> None:
    """Which image-to-image GAN keeps the identity of its input?"""


def main(command: click.Command = cli) -> None:
    """Run a command line; every error a user can mend is one sentence and exit code 2."""
    with clean_exit():
        try:
            code = command(standalone_mode=False)
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.Abort:
            raise KeyboardInterrupt from None
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            end(error.format_message(), error.exit_code)


def common(command: Any) -> Any:
    """Add the options that choose settings, device and plug-ins."""
    options = [
        click.option("--profile", help="Profile of params.yaml; the active one if left out."),
        click.option("--dataset", type=click.Choice(["rendered", "compcars", "multipie", "table"]), help="Data set."),
        click.option("--data-root", type=click.Path(path_type=Path), help="Folder of the images."),
        click.option("--annotations", type=click.Path(path_type=Path), help="CSV of labels, sides or boxes."),
        click.option("--image-size", type=Whole(16), help="Side of the images in pixels."),
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change any setting."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
        click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; the profile's if left out.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes, such as 20 50 80.")
@click.option("--seeds", type=Whole(1, 1000), help="Number of training seeds: 3 means 0, 1 and 2.")
@click.option("--keep-going", is_flag=True, help="Go on with the others when a training or measurement fails.")
@click.option("--jobs", type=Whole(1, 256), default=1, show_default=True, help="Trainings or measurements at once.")
@common
def run(
    models: tuple[str, ...], nc: tuple[int, ...], seeds: int | None, keep_going: bool, jobs: int, **choices: Any
) -> int:
    """Prepare the data, train, measure and write the tables; what is done already is skipped.

    --model, --nc and --seeds choose which rows of the profile's tables are made. Whatever changes a value (--dataset,
    --data-root, --annotations, --image-size, --set) makes a run of its own under runs/adhoc-..., with its own results.

    Several of these commands at once share the work; --jobs starts as many processes, which share the cores and the
    GPU. With --keep-going a model that failed has dashes in the tables, with the reason below, and the exit code is 1.
    """
    from benchmark.stages.everything import run_everything

    opened = open_chosen(models, nc, seeds, **choices)
    failed = run_everything(opened, keep_going, jobs)
    for name in ("identity.md", "fewshot.md"):
        click.echo(f"\n{(opened.results / name).read_text(encoding='utf-8')}")
    click.echo(f"report: {opened.results}/report.html; tables: {opened.results}/*.csv, *.md, *.tex")
    for reason in failed:
        click.echo(f"failed: {reason}", err=True)
    return int(bool(failed))


def open_chosen(
    models: tuple[str, ...] = (),
    nc: tuple[int, ...] = (),
    seeds: int | None = None,
    *,
    profile: str | None,
    device: str,
    plugins: tuple[Path, ...],
    **changes: Any,
) -> "Run":
    """Return the run that the options describe."""
    from benchmark import settings
    from benchmark.environment import use_threads
    from benchmark.workspace import fingerprint, open_run

    base = settings.profile(profile)
    changed = _changed(base, **changes)
    rows = {"models": _names(models, plugins), "seeds": seeds}
    chosen = changed.model_copy(update={key: value for key, value in rows.items() if value})
    if nc:
        chosen = _with(chosen, "evaluation", nc=tuple(sorted(set(nc))))
    if "all" not in models:  # a model that is named is not skipped
        chosen = _with(chosen, "fewshot", skip=tuple(name for name in chosen.fewshot.skip if name not in models))
    use_threads(chosen.threads)
    return open_run(chosen, fingerprint(changed) != fingerprint(base), device, plugins)


def _with(settings: "Profile", section: str, **changes: Any) -> "Profile":
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=changes)})


def _names(models: tuple[str, ...], plugins: tuple[Path, ...]) -> tuple[str, ...]:
    from models.registry import UnknownModelError, entries, find

    try:
        known = entries(plugins)
        named = tuple(known) if "all" in models else models
        return tuple(dict.fromkeys(find(name, plugins).name for name in named))
    except UnknownModelError as error:
        raise BenchmarkError(str(error)) from None


def _changed(
    base: "Profile",
    dataset: str | None,
    data_root: Path | None,
    annotations: Path | None,
    image_size: int | None,
    changes: tuple[str, ...],
) -> "Profile":
    """Return the settings with the options that change values applied."""
    from benchmark import settings
    from benchmark.plain_yaml import PlainYAMLError, parse

    if dataset and dataset not in ("rendered", base.data.dataset) and data_root is None:
        raise BenchmarkError(f"--dataset {dataset} needs --data-root, the folder of its images")
    options = {"data.root": data_root, "data.annotations": annotations, "data.image_size": image_size}
    values: dict[str, Any] = {k: str(v) if isinstance(v, Path) else v for k, v in options.items() if v is not None}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise BenchmarkError(f"--set {change[:100]}: write KEY=VALUE, such as training.images=1000")
        try:
            values[key] = parse(value)
        except PlainYAMLError as error:
            raise BenchmarkError(f"--set {key}: the value is no valid YAML: {error}") from None
    return settings.override(settings.with_dataset(base, dataset or base.data.dataset), values)


@cli.command()
@click.option(
    "--size",
    type=WholeOr(16, "profile"),
    is_flag=False,
    flag_value="profile",
    metavar="[PIXELS]",
    help="Count parameters and operations at this image size; the profile's if no number follows.",
)
@click.option("--profile", help="With --size: profile of params.yaml; the active one if left out.")
@click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model.")
def models(size: int | None, profile: str | None, plugins: tuple[Path, ...]) -> None:
    """List the models: what they are, where they are published, labels used, steps of each network in one cycle.

    With --size it is a table of how large they are.
    """
    from models.registry import UnknownModelError, entries

    if profile and size is None:
        raise click.UsageError("--profile chooses what --size counts; give --size too")
    try:
        found = entries(plugins)
    except UnknownModelError as error:
        raise BenchmarkError(str(error)) from None
    click.echo(_listed(found) if size is None else _sizes(found, size, profile))


def _listed(found: dict[str, "Entry"]) -> str:
    """Return some lines for each model, without importing any; a line ends between two facts, not within one."""
    width = max(map(len, found)) + 2
    lines: list[str] = []
    for name, entry in found.items():
        card = entry.card
        said = {"": card.citation, "labels: ": card.labels, "updates: ": card.updates}
        facts = [f"{what}{fact}" for what, fact in said.items() if fact != "-"]
        joined = "\N{NO-BREAK SPACE}· ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts)
        for first, text in ((name, card.summary), ("", joined)):
            lines += wrap(text, 120, initial_indent=f"{first:{width}}", subsequent_indent=" " * width)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def _sizes(found: dict[str, "Entry"], size: int, profile: str | None) -> str:
    from benchmark import settings
    from benchmark.stages.models import describe

    return describe(found, settings.profile(profile), size or None)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model.")
def verify(names: tuple[str, ...], plugins: tuple[Path, ...]) -> int:
    """Check that models keep the contract, in a very short training on the CPU that takes seconds.

    NAMES are models, or all; left out, the plug-ins are checked. The exit code is 1 if a check fails.
    """
    if not names and not plugins:
        raise click.UsageError("name a model, or all, or give --plugin FILE")
    chosen = _names(names or tuple(path.stem for path in plugins), plugins)
    from benchmark.verification.suite import verify
    from models.registry import find

    return 0 if verify(find(name, plugins) for name in chosen) else 1


@cli.command()
def datasets() -> None:
    """List the data sets."""
    from benchmark.data.adapters import describe

    for name, line in describe().items():
        click.echo(f"{name:12} {line}")


@cli.command()
@click.option("--model", required=True, help="A trained model.")
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Training seed.")
@click.option("--input", "source", type=click.Path(path_type=Path), help="Folder of your own images to turn.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("samples"), show_default=True)
@common
def sample(model: str, seed: int, source: Path | None, output: Path, **choices: Any) -> None:
    """Turn images with a trained generator: a grid of input and all views, and with --input each view as a PNG.

    Where the profile's own run has not trained the model, the generator that comes with results/reference/<profile> is
    used, if there is one of the same settings.
    """
    from benchmark.stages.sample import sample_images

    for path in sample_images(open_chosen((model,), **choices), model, seed, source, output):
        click.echo(path)


@cli.command()
@click.argument("results", required=False, type=click.Path(path_type=Path))
@click.option("--model", required=True, help="A trained model.")
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Training seed.")
@click.option("--with-results", is_flag=True, help="Put the run's tables, rows, figures and report there, too.")
@click.option("--profile", help="Profile whose generator is meant; the active one if left out.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model.")
def ship(
    results: Path | None,
    model: str,
    seed: int,
    with_results: bool,
    profile: str | None,
    device: str,
    plugins: tuple[Path, ...],
) -> None:
    """Put a trained generator and some images to turn into RESULTS, a folder of stored results of the same settings.

    `benchmark sample` then needs no training. Left out, RESULTS is results/reference/<profile>.
    """
    from benchmark import settings
    from benchmark.stages import shipped
    from benchmark.workspace import open_run

    name, *others = _names((model,), plugins)
    if others:
        raise click.UsageError("--model names one model here; ship one after the other")
    opened = open_run(settings.profile(profile), device=device, plugins=plugins)
    click.echo(shipped.ship(opened, name, seed, results or shipped.reference(opened), with_results))


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; the profile's if left out.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes; if left out, those with enough of them.")
@click.option("--seeds", type=Whole(1, 1000), help="Number of training seeds: 3 means 0, 1 and 2.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File for the rates, as CSV.")
@common
def validate(
    models: tuple[str, ...], nc: tuple[int, ...], seeds: int | None, output: Path | None, **choices: Any
) -> None:
    """Measure on validation identities, to choose a setting or a model without looking at the standard set.

    These are auxiliary identities that nothing is trained on; data.validation is their share. Training is that of
    `benchmark run`, and neither does anew what the other has done. The rates are printed and stand in no results.
    """
    from benchmark.reporting.sheets import markdown
    from benchmark.reporting.tables import identity_sheet, write_csv
    from benchmark.stages.validation import validate as measure

    table = measure(open_chosen(models, (), seeds, **choices), nc)
    click.echo(f"\n{markdown(identity_sheet(table))}")
    if output:
        write_csv(table, output)
        click.echo(f"table: {output}")


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; every measured one if left out.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes, such as 20 50 80.")
@common
def sensitivity(models: tuple[str, ...], nc: tuple[int, ...], **choices: Any) -> None:
    """Tabulate identity accuracy for other numbers of neighbours and another distance, from the stored features.

    The tables are written anew, with the measured controls and models, or of the models only those named by --model.
    """
    from benchmark.stages.sensitivity import sensitivity as tabulate

    opened = open_chosen(models, nc, **choices)
    tabulate(opened, opened.settings.models if models else ())
    click.echo(f"\n{(opened.results / 'sensitivity.md').read_text(encoding='utf-8')}")
    click.echo(f"tables: {opened.results}/sensitivity.csv, sensitivity.md")


@cli.command()
@click.argument("results", required=False, type=click.Path(path_type=Path))
@click.option("--profile", help="Profile whose results are meant; the active one if left out.")
def report(results: Path | None, profile: str | None) -> None:
    """Make tables, figures and the report page anew from the rows stored in the folder RESULTS.

    Neither data nor weights are needed. Left out, RESULTS is the folder of the profile.
    """
    from benchmark import settings
    from benchmark.reporting import rows
    from benchmark.reporting.render import render
    from benchmark.workspace import open_run

    if results and profile:
        raise click.UsageError("RESULTS names the folder; --profile is for the folder of a profile")
    folder = results or open_run(settings.profile(profile)).results
    render(rows.read(folder), folder)
    click.echo(f"report: {folder}/report.html; tables: {folder}/*.csv, *.md, *.tex; figures: {folder}/paper/, figures/")


@cli.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", type=click.Path(path_type=Path), help="File to append everything to, in Markdown.")
@click.option("--update", is_flag=True, help="Put NEW in the place of OLD, whatever has moved.")
def compare(old: Path, new: Path, markdown: Path | None, update: bool) -> int:
    """Compare the results NEW with the results OLD, by the spread between training seeds that OLD records.

    Each is a folder of results, or one table or Parquet file of one. The exit code is 1 if a rate has moved beyond its
    tolerance, a row is missing or new, or a value is NaN in one alone.
    """
    from benchmark.regression import baseline, words
    from benchmark.regression.comparison import compare

    found = compare(old, new)
    click.echo(words.short(found, old, new))
    if markdown:
        with markdown.open("a", encoding="utf-8") as file:
            file.write(words.full(found, old, new))
    if not update:
        return int(found.moved)
    baseline.update(old, new, found)
    click.echo(f"{old} now holds what {new} holds")
    if (old / baseline.GENERATORS).is_dir():
        click.echo(f"{old / baseline.GENERATORS} stays as it was; `benchmark ship` renews a generator")
    return 0


@cli.command(hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def speed(words: tuple[str, ...]) -> None:
    """Say where the measurement of speed is."""
    raise BenchmarkError(
        "speed is measured by `python -m tools.speed` in a clone of the project, with the same options"
    )


@cli.command()
@common
def status(**choices: Any) -> None:
    """Show every training and measurement of a run, as last recorded."""
    from benchmark.stages.status import cells

    for name, state, reason in cells(open_chosen(**choices).folder):
        click.echo(f"{name:40} {state:12} {reason}".rstrip())
