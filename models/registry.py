"""Every model by its name. Importing this module imports no model and no torch."""

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from models.cards import Card, read

if TYPE_CHECKING:
    from models.interface import ViewModel

BUILT_IN = {
    "ours": "models.ours:Ours",
    "dr_gan": "models.dr_gan:DRGAN",
    "dr_gan_sigmoid": "models.dr_gan:DRGANSigmoid",
    "cr_gan": "models.cr_gan:CRGAN",
    "two_step": "models.two_step:TwoStep",
    "two_step_exemplar": "models.two_step:TwoStepExemplar",
    "two_step_roles": "models.two_step:TwoStepRoles",
    "dr_gan_even": "models.dr_gan:DRGANEven",
    "dr_gan_lambda": "models.dr_gan:DRGANLambda",
    "dr_gan_noise128": "models.dr_gan:DRGANNoise128",
    "unet": "models.unet:Unet",
    "unet_noaim": "models.unet:UnetNoAIM",
    "vanilla": "models.ablations:Vanilla",
    "vanilla_deform": "models.ablations:VanillaDeform",
    "global_nc56": "models.ablations:GlobalNC56",
    "cnc56": "models.ablations:CNC56",
    "global_nc28": "models.ablations:GlobalNC28",
    "cnc28": "models.ablations:CNC28",
    "cnc28_im": "models.ablations:CNC28IM",
}
REFERENCE = "ours"  # the model whose size the fitted ones are given
TABLE_2 = {  # the rows of the paper's Table 2, in its order, and what it calls them
    "vanilla": "vanilla",
    "vanilla_deform": "vanilla + Deformable Conv",
    "global_nc56": "vanilla + Global-NC(56)",
    "cnc56": "vanilla + CNC(56)",
    "global_nc28": "vanilla + Global-NC(28)",
    "cnc28": "vanilla + CNC(28)",
    "cnc28_im": "vanilla + CNC(28) + IM",
    "ours": "vanilla + CNC(28) + AIM",
}
BASELINES = ("dr_gan", "cr_gan", "two_step", "unet")  # the methods that the paper compares with (section 4.1)
ENTRY_POINTS = "benchmark.models"  # the group under which an installed package offers models
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")  # of a model; folders and files have it too
SHARED = {"__init__", "capacity", "cards", "identity_view_gan", "interface", "registry"}


class UnknownModelError(LookupError):
    """A name that is not registered, or a file that holds no model."""


@dataclass(frozen=True)
class Entry:
    """An entry of the registry: a model's name and where it is found.

    Attributes:
        name: the model's name.
        target: `module:Class`, or the path of a file that defines one subclass of ViewModel.
    """

    name: str
    target: str

    @property
    def source(self) -> Path:
        """The file that defines the model."""
        module, colon, _ = self.target.partition(":")
        if not colon:
            return Path(self.target)
        try:
            spec = importlib.util.find_spec(module)
        except Exception:  # it imports the package of an installed model, which can fail in any way
            spec = None
        if spec is None or spec.origin is None:
            raise UnknownModelError(f"the model {self.name} is registered as {self.target}, which cannot be imported")
        return Path(spec.origin)

    @property
    def sources(self) -> list[Path]:
        """The file that defines the model; for an installed package, all its Python files."""
        if ":" not in self.target or self.target.startswith("models."):
            return [self.source]
        package = self.source.parent
        if not (package / "__init__.py").exists():
            return [self.source]
        while (package.parent / "__init__.py").exists():
            package = package.parent
        return sorted(path for path in package.rglob("*.py") if not path.name.startswith("."))

    @property
    def card(self) -> Card:
        """Return what the model says of itself, read without importing it."""
        try:
            return read(self.source, self.target.partition(":")[2])
        except UnknownModelError as error:
            return Card(f"cannot be read: {error}")

    @property
    def summary(self) -> str:
        """Return a description of the model in one line."""
        return self.card.summary

    def load(self) -> "type[ViewModel]":
        """Import the model's class."""
        module, colon, attribute = self.target.partition(":")
        if not colon:
            return _model_of(Path(self.target))
        loaded: type[ViewModel] = getattr(importlib.import_module(module), attribute)
        return loaded


def entries(plugins: Iterable[Path] = ()) -> dict[str, Entry]:
    """Return all models: built in, dropped into `models/`, offered by installed packages, and given as plug-in files.

    A file gives its model the file's name. A later source does not replace an earlier one of the same name.

    Raises:
        UnknownModelError: a plug-in does not exist, takes a name that is in use, or has one that no model can have.
    """
    found = {name: Entry(name, target) for name, target in BUILT_IN.items()}
    taken = {target.partition(":")[0].rpartition(".")[2] for target in BUILT_IN.values()} | SHARED
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in taken and not path.name.startswith("."):  # editors leave such files
            found.setdefault(path.stem, Entry(path.stem, str(path)))
    for point in entry_points(group=ENTRY_POINTS):
        found.setdefault(point.name, Entry(point.name, point.value))
    for path in plugins:
        if not path.is_file():
            raise UnknownModelError(f"the plug-in {path} {'is a folder' if path.is_dir() else 'does not exist'}")
        if path.stem in found:
            raise UnknownModelError(f"the plug-in {path} takes the name {path.stem} of another model; rename the file")
        found[path.stem] = Entry(path.stem, str(path.resolve()))
    for entry in found.values():
        if not NAME.fullmatch(entry.name):
            raise UnknownModelError(
                f"the model {entry.name!r} ({entry.target}) must have another name, at most 64 letters, digits, - and "
                "_: it also names folders and files"
            )
    return found


def find(name: str, plugins: Iterable[Path] = ()) -> Entry:
    """Return the entry of a model.

    Raises:
        UnknownModelError: there is none; the message lists the names and suggests the closest.
    """
    known = entries(plugins)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnknownModelError(f"there is no model {name}: there are {', '.join(known)}{hint}")
    return known[name]


def _model_of(path: Path) -> "type[ViewModel]":
    """Import a file and return the one model that it defines."""
    name = f"models_from_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnknownModelError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file can fail in any way
        raise UnknownModelError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    from models.interface import ViewModel

    own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == name]
    classes = [c for c in own if issubclass(c, ViewModel) and not c.__name__.startswith("_")]
    if len(classes) != 1:
        raise UnknownModelError(f"{path} must define exactly one subclass of ViewModel, found {len(classes)}")
    return classes[0]
