"""The build of a package: the files of the top folder that commands read travel in the package `benchmark`."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = ["params.yaml", "references.yaml"]


class WithFiles(build_py):
    """Copies the files beside the code, but for an editable install, which reads them where they are."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            for name in FILES:
                self.copy_file(name, str(Path(self.build_lib) / "benchmark" / name))

    def get_source_files(self) -> list[str]:
        """Return what an archive of the sources holds."""
        return [*super().get_source_files(), *FILES]


setup(cmdclass={"build_py": WithFiles})
