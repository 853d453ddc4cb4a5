"""The workflow runs what `.ci/run` runs."""

import re
import tomllib

import yaml

from tests.tools import PROJECT


def test_the_workflow_has_every_step_in_order() -> None:
    script = (PROJECT / ".ci/run").read_text(encoding="utf-8")
    steps = script.partition("|| set -- ")[2].partition("\n")[0].split()
    workflow = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    commands = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    assert steps.pop() == "pythons"  # for which the workflow has a job of its own
    assert [command for command in commands if ".ci/run" in command] == [f".ci/run {step}" for step in steps]
    assert {"tests", "smoke", "compare"} <= set(steps)


def test_every_python_that_is_allowed_is_tried_with_new_and_old_packages() -> None:
    workflow = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    job = workflow["jobs"]["versions"]
    assert job["strategy"]["matrix"]["python"] == [oldest, "3.12", "3.13"]
    script = (PROJECT / ".ci/run").read_text(encoding="utf-8")
    for packages in job["strategy"]["matrix"]["packages"]:
        assert re.search(rf"^{packages}\(\) {{ make \S+; }}", script, re.MULTILINE)
    assert all(">=" in each or "==" in each for each in project["dependencies"])  # each says what is the oldest
