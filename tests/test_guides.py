"""The code of the guides runs, each block on its own."""

import re
from pathlib import Path

import pytest

GUIDES = sorted((Path(__file__).parents[1] / "docs" / "guide").glob("*.md"))


def blocks():
    for path in GUIDES:
        found = re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)
        for number, code in enumerate(found):
            yield pytest.param(path.name, code, id=f"{path.stem}-{number}")


@pytest.mark.filterwarnings("ignore:Training ended:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "code"), list(blocks()))
def test_python_block(name, code):
    exec(compile(code, name, "exec"), {"__name__": "__main__"})
