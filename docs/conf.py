"""How the site is built: ``python -m sphinx -W --keep-going docs docs/_build/html``.

Nothing is read from the network: no inventories of other projects, and formulas are MathML,
which browsers draw themselves.
"""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

# Pictures of estimators on the gallery's pages lead to the reference beside them.
os.environ["BACKPROP_MLP_DOCS"] = ".."
# Times on the gallery's pages are those of one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "backprop-mlp"
author = "The backprop-mlp developers"
version = release = installed_version("backprop-mlp")
project_copyright = author

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "gallery_pages",
    "mathml",
    "public_reference",
]

exclude_patterns = ["_build", "reference/backreferences/*"]
default_role = "py:obj"
# Code without a language is what a program printed.
highlight_language = "none"

autosummary_generate = False
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[/\\](plot|ex4)_",
    "ignore_pattern": r"(^|[/\\])_",
    "backreferences_dir": "reference/backreferences",
    "doc_module": ("backprop_mlp",),
    "reference_url": {"backprop_mlp": None},
    "image_scrapers": ("matplotlib",),
    "capture_repr": ("_repr_html_",),
    "remove_config_comments": True,
    "show_memory": False,
    "plot_gallery": "True",
    "download_all_examples": False,
    "notebook_extensions": set(),
    "within_subsection_order": "ExampleTitleSortKey",
}

html_theme = "pydata_sphinx_theme"
html_title = "backprop-mlp"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
}
