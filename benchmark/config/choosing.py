"""The options of the command line that choose settings, and the run that they describe."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.config.datasets import READERS
from benchmark.config.options import Whole
from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from benchmark.config.settings import Profile
    from benchmark.run.workspace import Run

DEVICES = click.Choice(["auto", "cpu", "cuda"])
DATASETS = click.Choice(list(READERS))


def settings_options(command: Any) -> Any:
    """Add the options that choose settings, device and plug-ins."""
    options = [
        click.option("--profile", help="Profile of params.yaml; default: the active one, own with --dataset table."),
        click.option("--dataset", type=DATASETS, help="Data set."),
        click.option("--data-root", type=click.Path(path_type=Path), help="Folder of the images."),
        click.option("--annotations", type=click.Path(path_type=Path), help="CSV of labels, sides or boxes."),
        click.option("--image-size", type=Whole(16), help="Side of the images in pixels."),
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change any setting."),
        click.option("--device", type=DEVICES, help="Default: auto, a GPU where there is one."),
        click.option("--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="File with a model."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def run_options(command: Any) -> Any:
    """Add the options that choose settings, and `--run`, which names a run that has them."""
    text = "A run by its name, in place of its settings once more; `benchmark runs` lists them."
    return click.option("--run", "stored", help=text)(settings_options(command))


def open_run(
    models: tuple[str, ...] = (),
    nc: tuple[int, ...] = (),
    seeds: int | None = None,
    *,
    name: str | None = None,
    stored: str | None = None,
    profile: str | None = None,
    device: str | None = None,
    plugins: tuple[Path, ...] = (),
    **changes: Any,
) -> "Run":
    """Return the run that the options describe.

    Args:
        models: the models of its tables; none: those of the settings.
        nc: the numbers of classes; none: those of the settings.
        seeds: the number of training seeds.
        name: of a new run, or of one to resume.
        stored: a run whose settings are taken.
        profile: the profile that the changes start from.
        device: `auto`, `cpu` or `cuda`.
        plugins: files with models.
        changes: the options that change values.

    Raises:
        BenchmarkError: an option is wrong, or two of them contradict each other.
    """
    from benchmark.environment import use_threads
    from benchmark.run import runs

    given = bool(profile) or any(changes.values())
    if stored is not None and given:
        raise BenchmarkError(
            "--run takes the settings of a stored run; leave out --profile, --set and the like, or leave out --run"
        )
    if stored is not None:
        run = runs.opened(stored, device, plugins)
    elif name is not None and not given:
        runs.check_name(name)
        run = runs.opened(name, device, plugins)
    else:
        run = _described(name, profile, device or "auto", plugins, **changes)
    rows = {"models": model_names(models, run.plugins), "seeds": seeds}
    chosen = run.settings.model_copy(update={key: value for key, value in rows.items() if value})
    if nc:
        chosen = _with(chosen, "evaluation", nc=tuple(sorted(set(nc))))
    skipped = tuple(name for name in chosen.fewshot.skip if name not in models)  # a model that is named is not
    chosen = _with(chosen, "fewshot", skip=skipped)
    use_threads(chosen.threads)
    return replace(run, settings=chosen)


def _described(name: str | None, profile: str | None, device: str, plugins: tuple[Path, ...], **changes: Any) -> "Run":
    """Return the run of a profile, or one of its own where settings are changed or a name is given."""
    from benchmark.config import settings
    from benchmark.run import runs
    from benchmark.run.workspace import run_of_changes, run_of_profile, settings_hash

    if name and not profile and runs.is_stored(name):
        with suppress(BenchmarkError):  # a damaged one is made again with the settings that are given
            profile = runs.opened(name).settings.name
    if profile is None and changes.get("dataset") == "table" and settings.OWN in settings.load()["profiles"]:
        profile = settings.OWN
    base = settings.profile(profile)
    changed = _changed(base, **changes)
    if name is None and settings_hash(changed) == settings_hash(base):
        return run_of_profile(changed, device, plugins)
    if name is not None:
        runs.check_name(name)
    run = run_of_changes(changed, name or "", device, plugins)
    runs.check_same(run)
    return run


def _with(settings: "Profile", section: str, **changes: Any) -> "Profile":
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=changes)})


def model_names(models: tuple[str, ...], plugins: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the names of models, none twice; `all` are those that the settings file lists, and the plug-ins.

    Raises:
        BenchmarkError: there is no model of a name.
    """
    from benchmark.config.settings import ALL, PARAMS, load
    from models.registry import UnknownModelError, find

    listed = load().get("models") if ALL in models else []
    if not isinstance(listed, list):
        raise BenchmarkError(f"{PARAMS} must list under `models` what `all` stands for")
    every = [*listed, *(path.stem for path in plugins)]
    named = [each for name in models for each in (every if name == ALL else [name])]
    try:
        return tuple(dict.fromkeys(find(name, plugins).name for name in named))
    except UnknownModelError as error:
        raise BenchmarkError(str(error)) from None


def _changed(
    base: "Profile",
    dataset: str | None = None,
    data_root: Path | None = None,
    annotations: Path | None = None,
    image_size: int | None = None,
    changes: tuple[str, ...] = (),
) -> "Profile":
    """Return the settings with the options that change values applied."""
    from benchmark.config import settings
    from benchmark.config.plain_yaml import PlainYAMLError, parse

    if dataset and (dataset not in ("rendered", base.data.dataset) or base.name == settings.OWN) and data_root is None:
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
