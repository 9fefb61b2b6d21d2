"""Where the pictures of estimators in notebooks lead for help."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

VARIABLE = "BACKPROP_MLP_DOCS"
"""Environment variable with the address of a site that was built from `docs`."""


class DocumentationLinkMixin:
    """The link from an estimator's picture, and from its parameters, to the reference.

    It leads to the site whose address stands in the environment variable
    ``BACKPROP_MLP_DOCS``, else to the one in the metadata of the installed package
    (Documentation, among the project's URLs). Where neither is known there is no link:
    a path of this machine would mean nothing to whoever opens a saved notebook elsewhere.
    """

    _doc_link_module = "backprop_mlp"
    _doc_link_template = "{page}"

    def _doc_link_url_param_generator(self):
        site = os.environ.get(VARIABLE, "") or _published_site()
        if not site:
            return {"page": ""}
        cls = type(self)
        public = [part for part in cls.__module__.split(".") if not part.startswith("_")]
        name = ".".join([*public, cls.__name__])
        return {"page": f"{site.rstrip('/')}/reference/generated/{name}.html"}


@cache
def _published_site():
    """The address that the package was published with; empty if none."""
    try:
        urls = metadata("backprop-mlp").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    pairs = (url.partition(",")[::2] for url in urls)
    return next((url.strip() for label, url in pairs if label.lower() == "documentation"), "")
