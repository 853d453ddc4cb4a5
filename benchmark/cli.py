"""The command `benchmark`. Heavy imports stand inside the commands, so that help and lists come at once."""

import sys
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from benchmark.config.choosing import DEVICES, model_names, open_run, run_options, settings_options
from benchmark.config.options import SeveralValues, Whole, WholeOr
from benchmark.errors import BenchmarkError
from benchmark.exits import clean_exit, end

if TYPE_CHECKING:
    from models.registry import Entry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="viewpoint-benchmark")
def cli() -> None:
    """Train, measure and compare GANs that turn a picture to another viewpoint."""


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


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: the profile's.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes, such as 20 50 80.")
@click.option("--seeds", type=Whole(1, 1000), help="Number of training seeds: 3 means 0, 1 and 2.")
@click.option("--keep-going", is_flag=True, help="Continue with the others when a training run or measurement fails.")
@click.option("--jobs", type=Whole(1, 256), help="Tasks at once, each a process; default: 1, on a cluster what fits.")
@click.option("--cluster", metavar="ADDRESS", help="Ray cluster to carry out the tasks on: auto, or HOST:PORT.")
@click.option("--cpus", type=Whole(1, 1024), help="With --cluster: cores of each task; default: its threads.")
@click.option("--gpus", type=float, help="With --cluster: GPUs of each task, or a share of one; default: 1, if any.")
@click.option("--resume-from", type=click.Path(path_type=Path), help="Results exported with --archive: what is done.")
@click.option("--name", help="Name of the run, for settings of its own; with a name alone, that run resumes.")
@settings_options
def run(
    models: tuple[str, ...],
    nc: tuple[int, ...],
    seeds: int | None,
    keep_going: bool,
    jobs: int | None,
    cluster: str | None,
    cpus: int | None,
    gpus: float | None,
    resume_from: Path | None,
    name: str | None,
    **choices: Any,
) -> int:
    """Prepare the data, train, measure and write the tables; what is done already is skipped.

    --model, --nc and --seeds choose which rows of the profile's tables are made. Whatever changes a value (--dataset,
    --data-root, --annotations, --image-size, --set) makes a run of its own in runs/NAME, with its own results; it takes
    from other runs what does not depend on that value.

    Several of these commands at once share the work; --jobs starts as many processes, which share the cores and the
    GPU; --cluster carries the tasks out on other machines, see docs/cluster.md. With --keep-going a model that failed
    has dashes in the tables, with the reason below, and the exit code is 1.

    With --resume-from, what was measured elsewhere with the same settings, data, code and versions is not made again.
    """
    from benchmark.stages.pipeline import run_everything

    if cluster is None and (cpus or gpus is not None):
        raise click.UsageError("--cpus and --gpus go with --cluster")
    if gpus is not None and not (0 <= gpus <= 1 or (1 < gpus <= 1024 and gpus.is_integer())):
        raise click.UsageError(f"--gpus {gpus:g}: a share between 0 and 1, or a whole number of GPUs")
    opened = open_run(models, nc, seeds, name=name, **choices)
    if cluster is None:
        failed = run_everything(opened, keep_going, jobs or 1, resume_from=resume_from)
    else:
        from benchmark.execution.cluster import joined

        with joined(opened, cluster, cpus, gpus) as nodes:
            failed = run_everything(
                replace(opened, device=nodes.device), keep_going, jobs or nodes.room, nodes, resume_from
            )
    for table in ("identity.md", "fewshot.md"):
        click.echo(f"\n{(opened.results / table).read_text(encoding='utf-8')}")
    click.echo(f"report: {opened.results}/report.html; tables: {opened.results}/*.csv, *.md, *.tex")
    for reason in failed:
        click.echo(f"failed: {reason}", err=True)
    return int(bool(failed))


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: the profile's.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes, such as 20 50 80.")
@click.option("--seeds", type=Whole(1, 1000), help="Number of training seeds: 3 means 0, 1 and 2.")
@click.option("--name", help="Name of the run, for settings of its own.")
@click.option(
    "--dry", "--dry-run", "dry", is_flag=True, help="Make no image store, and write nothing into the run's folder."
)
@click.option("--no-estimate", is_flag=True, help="Do not time the models.")
@settings_options
def prepare(
    models: tuple[str, ...],
    nc: tuple[int, ...],
    seeds: int | None,
    name: str | None,
    dry: bool,
    no_estimate: bool,
    **choices: Any,
) -> None:
    """Read, filter, split and store the images, and say what that gives and how long a run would take; train nothing.

    `benchmark run` with the same options resumes from here. For the estimate three cycles of each model are timed on
    this machine, which takes a minute or more with large images.
    """
    from benchmark.stages.pipeline import prepare_alone

    for line in prepare_alone(open_run(models, nc, seeds, name=name, **choices), dry, not no_estimate):
        click.echo(line)


@cli.command()
def runs() -> None:
    """List the runs: how much of each is made, how large it is, and the settings in which it differs from a profile."""
    from benchmark.run.runs import listed

    found = list(listed())
    for each in found:
        states = ", ".join(f"{count} {state}" for state, count in sorted(each.states.items())) or "nothing yet"
        click.echo(f"{each.name:24} {states if each.profile else 'unusable'}; {each.size / 2**20:,.0f} MB")
        if not each.profile:
            click.echo(f"{'':24} {' '.join(each.changes)}")
        elif each.name != each.profile:
            click.echo(f"{'':24} {each.profile} with {' '.join(each.changes) or 'no other settings'}".rstrip())
    if not found:
        click.echo("none yet; `benchmark run` makes one")


@cli.command()
@click.argument("names", nargs=-1, metavar="[RUNS]...")
@click.option("--dry-run", is_flag=True, help="Say it and remove nothing.")
def clean(names: tuple[str, ...], dry_run: bool) -> None:
    """Remove what no run needs, and the runs named, and say what that frees.

    What no run needs are artefacts that were replaced when settings or sources changed (settings that are set back
    find them again) and what killed processes left. Results in the folder results/ stay.
    """
    from benchmark.run.runs import freed, remove, unneeded

    found = list(unneeded(names))
    for path in found:
        click.echo(f"{path}: {freed([path]) / 2**20:,.1f} MB of its own")
    free = freed(found) / 2**20
    if not dry_run:
        remove(found)
    click.echo(f"{'would free' if dry_run else 'freed'}: {free:,.1f} MB")


@cli.command()
@click.option(
    "--size",
    type=WholeOr(16, "profile"),
    is_flag=False,
    flag_value="profile",
    metavar="[PIXELS]",
    help="Count parameters and operations at this image size; the profile's if no number follows.",
)
@click.option("--profile", help="With --size: profile of params.yaml; default: the active one.")
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
    from benchmark.config import settings
    from benchmark.stages.models import describe

    return describe(found, settings.profile(profile), size or None)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model.")
def verify(names: tuple[str, ...], plugins: tuple[Path, ...]) -> int:
    """Check that models keep the contract, in a very short training on the CPU that takes seconds.

    NAMES are models, or all; default: the plug-ins. The exit code is 1 if a check fails.
    """
    if not names and not plugins:
        raise click.UsageError("name a model, or all, or give --plugin FILE")
    chosen = model_names(names or tuple(path.stem for path in plugins), plugins)
    from benchmark.conformance.suite import verify
    from models.registry import find

    return 0 if verify(find(name, plugins) for name in chosen) else 1


@cli.command()
def datasets() -> None:
    """List the data sets."""
    from benchmark.data.adapters import describe

    for name, line in describe().items():
        click.echo(f"{name:12} {line}")


@cli.command(cls=SeveralValues)
@click.option("--data-root", "root", required=True, type=click.Path(path_type=Path), help="Folder of CompCars.")
@click.option("--labels", multiple=True, type=click.Path(path_type=Path), help="CSV of sides by hand, or of azimuths.")
@click.option("--output", type=click.Path(path_type=Path), help="CSV to write; default: sides.csv beside image/.")
@click.option("--sheet", type=click.Path(path_type=Path), help="PNG of the least certain; default: beside the CSV.")
@click.option("--review", type=Whole(1, 1000), default=60, show_default=True, help="How many images it shows.")
@click.option("--rear", is_flag=True, help="Rear-side images, too.")
def sides(
    root: Path, labels: tuple[Path, ...], output: Path | None, sheet: Path | None, review: int, rear: bool
) -> None:
    """Estimate which side of each car CompCars shows, which its labels do not say, and write sides.csv.

    The least certain images are shown on a sheet and listed in a CSV to correct and pass as --labels; docs/sides.md has
    the steps, and how many sides are right.
    """
    from benchmark.stages.sides import estimate

    estimate(root, labels, output, sheet, review, rear)


@cli.command()
@click.option("--model", required=True, help="A trained model.")
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Training seed.")
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="Folder of images to turn, with subfolders.",
)
@click.option("--output", type=click.Path(path_type=Path), default=Path("samples"), show_default=True)
@run_options
def sample(model: str, seed: int, source: Path | None, output: Path, **choices: Any) -> None:
    """Turn images with a trained generator: a grid of input and all views, and with --input each view as a PNG.

    Where the profile's own run has not trained the model, the generator that comes with results/reference/<profile> is
    used, if there is one of the same settings.
    """
    from benchmark.stages.sample import sample_images

    for path in sample_images(open_run((model,), **choices), model, seed, source, output):
        click.echo(path)


@cli.command(cls=SeveralValues)
@click.argument("results", required=False, type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, help="Trained models, whose generators are put there.")
@click.option("--seed", type=Whole(0), default=0, show_default=True, help="Their training seed.")
@click.option("--with-results", is_flag=True, help="Put the run's tables, rows and the paper's exhibits there, too.")
@click.option("--archive", "archived", is_flag=True, help="Put there what `benchmark run --resume-from` needs.")
@click.option("--profile", help="Profile whose run is meant; default: the active one.")
@click.option("--device", type=DEVICES, default="auto", show_default=True)
@click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model.")
def export(
    results: Path | None,
    models: tuple[str, ...],
    seed: int,
    with_results: bool,
    archived: bool,
    profile: str | None,
    device: str,
    plugins: tuple[Path, ...],
) -> None:
    """Put trained generators, each with some images to turn, into RESULTS, a folder of results of the same settings.

    `benchmark sample` then needs no training run. With --archive, the records and measurements of every model and seed
    that is done are put there, by which another clone continues the run. RESULTS defaults to
    results/reference/<profile>.
    """
    from benchmark.config import settings
    from benchmark.regression import baseline
    from benchmark.run.workspace import run_of_profile
    from benchmark.stages import archive, pretrained
    from benchmark.stages.collect import finished

    if not (models or with_results or archived):
        raise click.UsageError("say what to export: --model NAME, --with-results or --archive")
    opened = run_of_profile(settings.profile(profile), device, plugins)
    folder = results or pretrained.reference(opened)
    names = model_names(models, plugins) if models else ()
    for name in names:
        finished(opened, name, seed)  # before anything is changed
    if with_results:
        pretrained.check(opened, opened.results)
        baseline.store(folder, opened.results)
        click.echo(folder)
    for name in names:
        click.echo(pretrained.export(opened, name, seed, folder))
    if archived:
        for written in archive.store(opened, folder):
            click.echo(written)


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: the profile's.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes; default: those with enough of them.")
@click.option("--seeds", type=Whole(1, 1000), help="Number of training seeds: 3 means 0, 1 and 2.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File for the rates, as CSV.")
@run_options
def validate(
    models: tuple[str, ...], nc: tuple[int, ...], seeds: int | None, output: Path | None, **choices: Any
) -> None:
    """Measure on validation identities, to choose a setting or a model without looking at the standard set.

    These are auxiliary identities that nothing is trained on; data.validation is their share. Training is that of
    `benchmark run`, and neither repeats what the other has done. The rates are printed and are part of no results.
    """
    from benchmark.reporting.sheets import headed, markdown
    from benchmark.reporting.tables import identity_sheet
    from benchmark.results.rows import write_csv
    from benchmark.stages.validation import validate as measure

    opened = open_run(models, (), seeds, **choices)
    table = measure(opened, nc)
    sheet = headed(identity_sheet(table), opened.name, opened.settings.data.label(opened.name))
    click.echo(f"\n{markdown(sheet)}")
    if output:
        write_csv(table, output)
        click.echo(f"table: {output}")


@cli.command()
@click.option("--name", help="Name of the pictures' row in the tables.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the pictures.")
@click.option("--table", type=click.Path(path_type=Path), help="CSV: output, input, target; default: DIR/outputs.csv.")
@click.option("--export", type=click.Path(path_type=Path), help="Folder for what is needed to make the pictures.")
@click.option("--training", is_flag=True, help="With --export: the images to train with, and their labels, too.")
@run_options
def evaluate(
    name: str | None, images: Path | None, table: Path | None, export: Path | None, training: bool, **choices: Any
) -> None:
    """Measure pictures that any other program has made, as those of a model.

    --export DIR writes the inputs and a table of the pictures to make, targets.csv. --name NAME --images DIR then
    measures them: they become a row of the tables, beside models and controls. docs/images_made_elsewhere.md has the
    steps.
    """
    if bool(name) != bool(images) or bool(name) == bool(export):
        raise click.UsageError("give --name and --images to measure pictures, or --export to have what they need")
    if (table and export) or (training and not export):
        raise click.UsageError("--table goes with --images, and --training with --export")
    from benchmark.stages import evaluate as stage

    opened = open_run(**choices)
    if export:
        stage.export(opened, export, training)
        click.echo(f"to make: {export}/targets.csv")
    elif name and images:
        stage.evaluate(opened, name, images, table)
        click.echo(f"\n{(opened.results / 'identity.md').read_text(encoding='utf-8')}")
        click.echo(f"report: {opened.results}/report.html; tables: {opened.results}/*.csv, *.md, *.tex")


@cli.command(cls=SeveralValues)
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: every measured one.")
@click.option("--nc", multiple=True, type=Whole(2), help="Numbers of classes; default: those measured.")
@run_options
def sensitivity(models: tuple[str, ...], nc: tuple[int, ...], **choices: Any) -> None:
    """Tabulate identity accuracy for other numbers of neighbours and another distance, from the stored features.

    The tables are written again, with all measured controls and models, or only with the models named by --model.
    """
    from benchmark.stages.sensitivity import sensitivity as tabulate

    opened = open_run(models, nc, **choices)
    tabulate(opened, opened.settings.models if models else (), nc)
    click.echo(f"\n{(opened.results / 'sensitivity.md').read_text(encoding='utf-8')}")
    click.echo(f"tables: {opened.results}/sensitivity.csv, sensitivity.md")


@cli.command()
@click.argument("results", required=False)
@click.option("--run", "stored", help="A run by its name; `benchmark runs` lists them.")
@click.option("--profile", help="Profile whose results are meant; default: the active one.")
def report(results: str | None, stored: str | None, profile: str | None) -> None:
    """Make tables, figures and the report page again from the stored rows.

    RESULTS is a folder of results; by default it is that of the profile or the run. Neither data nor weights are
    needed.
    """
    from benchmark.config import settings
    from benchmark.reporting.render import render
    from benchmark.results import rows
    from benchmark.run import runs
    from benchmark.run.workspace import run_of_profile

    if sum(map(bool, (results, stored, profile))) > 1:
        raise click.UsageError("RESULTS, --run and --profile each name a folder of results; give one of them")
    if results:
        folder = Path(results)
    else:
        folder = (runs.opened(stored) if stored else run_of_profile(settings.profile(profile))).results
    render(rows.read(folder), folder)
    click.echo(f"report: {folder}/report.html; tables: {folder}/*.csv, *.md, *.tex; figures: {folder}/paper/, figures/")


@cli.command()
@click.argument("old")
@click.argument("new")
@click.option("--markdown", type=click.Path(path_type=Path), help="File to append everything to, in Markdown.")
@click.option("--update", is_flag=True, help="Put NEW in the place of OLD, whatever has moved.")
def compare(old: str, new: str, markdown: Path | None, update: bool) -> int:
    """Compare the results NEW with the results OLD, by the spread between training seeds that OLD records.

    Each is a folder of results, one table or Parquet file of one, or the name of a run. The exit code is 1 if a rate
    has moved beyond its tolerance, a row is missing or new, or a value is NaN in one alone.
    """
    from benchmark.regression import baseline, formatting
    from benchmark.regression.comparison import compare
    from benchmark.run import runs

    before, after = runs.results(old), runs.results(new)
    found = compare(before, after)
    click.echo(formatting.short(found, before, after))
    if markdown:
        with markdown.open("a", encoding="utf-8") as file:
            file.write(formatting.full(found, before, after))
    if not update:
        return int(found.moved)
    baseline.update(before, after, found)
    click.echo(f"{before} now holds what {after} holds")
    if (before / baseline.GENERATORS).is_dir():
        click.echo(f"{before / baseline.GENERATORS} stays as it was; `benchmark export` renews it")
    return 0


@cli.command(hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def speed(words: tuple[str, ...]) -> None:
    """Say where the measurement of speed is."""
    raise BenchmarkError(
        "speed is measured by `python -m tools.speed` in a clone of the project, with the same options"
    )


@cli.command()
@run_options
def status(**choices: Any) -> None:
    """Show every artefact of a run, as last recorded, and by which process on which host it is being made."""
    from benchmark.stages.status import states

    for name, state, reason in states(open_run(**choices)):
        click.echo(f"{name:40} {state:12} {reason}".rstrip())


if __name__ == "__main__":
    main()
