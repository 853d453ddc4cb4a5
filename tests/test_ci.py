"""The workflow runs what `.ci/run` runs."""

import yaml

from tests.tools import PROJECT


def test_the_workflow_has_every_step_in_order() -> None:
    script = (PROJECT / ".ci/run").read_text(encoding="utf-8")
    steps = script.partition("|| set -- ")[2].partition("\n")[0].split()
    workflow = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    commands = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    assert [command for command in commands if ".ci/run" in command] == [f".ci/run {step}" for step in steps]
    assert {"lint", "types", "tests", "smoke", "compare"} <= set(steps)
