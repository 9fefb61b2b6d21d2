"""What calls in other threads and processes take over from the one that makes them.

`sklearn.utils.parallel` does so, too, but sets the warning filters also in threads, which share
them with the whole process: threads that set them at a time take them from one another. They can
be lost for good, and a warning that meets a list that is being filled ends in a SystemError.
"""

import os
import warnings
from typing import NamedTuple

from sklearn import config_context, get_config


class Settings(NamedTuple):
    """scikit-learn's configuration and the warning filters, and whose they are.

    Parameters
    ----------
    process : int
    config : dict
    filters : list of tuple
    """

    process: int
    config: dict
    filters: list

    @classmethod
    def of_caller(cls):
        """Those of this thread."""
        return cls(os.getpid(), get_config(), list(warnings.filters))

    def call(self, function, *arguments):
        """What a function returns under these settings, in any thread or process."""
        with config_context(**self.config):
            if os.getpid() == self.process:
                return function(*arguments)
            with warnings.catch_warnings():
                warnings.resetwarnings()
                warnings.filters = self.filters
                return function(*arguments)
