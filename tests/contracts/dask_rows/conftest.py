"""A Dask cluster in this process, for tests that need no process to be lost."""

import pytest


@pytest.fixture(scope="module")
def client():
    """Two workers in threads of this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as client:
        yield client
