"""Make digits20x20.mat: scikit-learn's handwritten digits, stored as the exercise stores its own.

    python data/make_digits20x20.py [file]

The 1,797 images of 8 x 8 pixels are resized to 20 x 20 by cubic interpolation,
on a black surround, and their grey levels rounded to multiples of 1/64 in
[0, 1]. The source knows 17 grey levels, so nothing is lost; and numbers with
few digits make a small file and are the same in float32. As in the exercise's
``ex4data1.mat``, X has one image per row, its pixels column by column, and y the
labels 1 to 10, where 10 stands for the digit 0.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.io import savemat
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

OUTPUT = Path(__file__).with_name("digits20x20.mat")
SIDE = 20
GREY_LEVELS = 64


def resized_digits():
    """Images of shape (1797, 20 * 20) in [0, 1], float64, and labels 1 to 10 of shape (1797, 1)."""
    digits = load_digits()
    factor = SIDE / digits.images.shape[1]
    images = zoom(
        digits.images / digits.images.max(),
        (1, factor, factor),
        order=3,
        mode="grid-constant",
        grid_mode=True,
    )
    images = np.clip(np.rint(images * GREY_LEVELS) / GREY_LEVELS, 0.0, 1.0)
    X = images.transpose(0, 2, 1).reshape(len(images), -1)
    y = np.where(digits.target == 0, 10, digits.target).astype(np.uint8)
    return X, y[:, np.newaxis]


def main(path=OUTPUT):
    """Write the file, and say what it holds."""
    X, y = resized_digits()
    savemat(path, {"X": X, "y": y}, do_compression=True)
    print(f"{path}: X {X.shape}, y {y.shape}, {Path(path).stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main(*sys.argv[1:])
