"""The README's code runs, each block on its own. Its shell commands are run by .ci/run."""

import re
from pathlib import Path

import pytest

matplotlib = pytest.importorskip("matplotlib", reason="the README draws pictures")

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), flags=re.DOTALL | re.MULTILINE)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [code for language, code in BLOCKS if language == "sh"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[-1][:40])
def test_python_block(code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    exec(compile(code, README.name, "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")


def test_every_block_is_run_by_someone():
    assert {language for language, _ in BLOCKS} == {"python", "sh"}


def test_the_first_two_blocks_run_the_main_job_and_the_tests():
    """Those that .ci/run takes."""
    main_job, tests = SHELL
    assert [language for language, _ in BLOCKS[:2]] == ["sh", "sh"]
    assert "examples/ex4_digits.py" in main_job
    assert "-m pytest" in tests
