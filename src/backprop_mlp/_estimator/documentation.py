"""Where the pictures of estimators in notebooks lead for help."""

import sys
from pathlib import Path


class DocumentationLinkMixin:
    """The link from an estimator's picture, and from its parameters, to their description.

    The documentation is the docstring of the class, and it stands in the
    installed file: there the link leads, for there is no web site. It agrees
    with the installed version and works offline, from saved pages, editors and
    notebooks that may open files (a browser does not follow it from a page of
    a web server). scikit-learn shows the parameters' descriptions next to the
    picture only where there is such a link.
    """

    _doc_link_module = "backprop_mlp"
    _doc_link_template = "{uri}"

    def _doc_link_url_param_generator(self):
        source = sys.modules[type(self).__module__].__file__
        return {"uri": Path(str(source)).resolve().as_uri()}
