"""Pages of the gallery: the command that runs the example, in place of downloads.

An example shares ``_pictures.py`` and reads ``data/``: as a single file it does not run.
"""

from pathlib import PurePosixPath

from docutils.nodes import Element, literal, paragraph

OFFERS = ("sphx-glr-download-link-note", "sphx-glr-footer-example")
"""Classes of what sphinx-gallery writes above and below an example: its downloads."""


def _command(page):
    program = f"python examples/{PurePosixPath(page).name}.py"
    return paragraph("", "In a checkout: ", literal(program, program))


def tell_the_command(app, doctree):
    """Put the command in the place of the note, and leave the links out."""
    for node in list(doctree.findall(Element)):
        if OFFERS[0] in node.get("classes", ()):
            node.parent.replace(node, _command(app.env.docname))
        elif OFFERS[1] in node.get("classes", ()):
            node.parent.remove(node)


def setup(app):
    """Change the pages before Sphinx collects the files that are linked."""
    app.connect("doctree-read", tell_the_command, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
