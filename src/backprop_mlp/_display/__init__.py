"""The pictures, in the form of scikit-learn's Displays: recorded arrays with a method `plot`.

What `plot` has drawn is kept under names that say what matplotlib calls it, as in scikit-learn:
``figure_``; ``ax_``, an array where there are several axes; and the artists, ``line_``, ``image_``,
``bars_``, ``colorbar_``, in the plural where there are several: ``lines_``. ``marks_`` are the
triangles at an edge, beyond which points lie. Where curves are on several axes, ``lines_`` is a
list per axis.
"""
