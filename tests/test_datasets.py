"""The exercise's .mat files: what they hold, and what is said of wrong ones."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.io import savemat

from backprop_mlp import load_ex4_data, load_ex4_weights

X = np.random.default_rng(0).random((20, 16))
Y = np.tile(np.arange(1, 11), 2)[:, np.newaxis]
THETAS = {"Theta1": np.arange(12.0).reshape(3, 4), "Theta2": np.arange(8.0).reshape(2, 4)}


@pytest.fixture
def save(tmp_path):
    """Save the named matrices; gives the file's path."""

    def save(name="file.mat", **matrices):
        savemat(tmp_path / name, matrices)
        return tmp_path / name

    return save


@pytest.mark.parametrize("as_argument", [str, lambda path: path], ids=["str", "path"])
def test_data_are_read_as_stored(save, as_argument):
    images, labels = load_ex4_data(as_argument(save(X=X, y=Y)))
    np.testing.assert_array_equal(images, X)
    np.testing.assert_array_equal(labels, Y[:, 0])
    assert images.dtype == np.float64
    assert labels.dtype == np.int64


def test_numbers_of_other_types_are_converted(save):
    images, labels = load_ex4_data(save(X=np.ones((20, 4), np.uint8), y=Y.astype(np.uint8)))
    assert images.dtype == np.float64
    assert labels.dtype == np.int64


def test_label_10_becomes_0_on_request(save):
    _, labels = load_ex4_data(save(X=X, y=Y), zero_label=0)
    np.testing.assert_array_equal(labels, Y[:, 0] % 10)


def test_any_other_label_of_zero_is_refused(save):
    with pytest.raises(ValueError, match="zero_label must be 10 or 0; got 1"):
        load_ex4_data(save(X=X, y=Y), zero_label=1)


def test_weights_are_read_as_stored(save):
    theta1, theta2 = load_ex4_weights(save(**THETAS))
    np.testing.assert_array_equal(theta1, THETAS["Theta1"])
    np.testing.assert_array_equal(theta2, THETAS["Theta2"])
    assert theta1.dtype == theta2.dtype == np.float64


@pytest.mark.parametrize("load", [load_ex4_data, load_ex4_weights])
@pytest.mark.parametrize("as_argument", [str, lambda path: path], ids=["str", "path"])
def test_a_missing_file_is_said_to_be_missing(load, as_argument, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no_such\.mat"):
        load(as_argument(tmp_path / "no_such.mat"))


def test_the_suffix_is_not_guessed(save):
    path = save(X=X, y=Y)
    with pytest.raises(FileNotFoundError):
        load_ex4_data(path.with_suffix(""))


BROKEN = {
    "empty": lambda whole: b"",
    "a header alone": lambda whole: whole[:100],
    "truncated": lambda whole: whole[: len(whole) // 2],
    "text": lambda whole: b"just some text\n" * 50,
    "zeros": lambda whole: bytes(500),
    "an image": lambda whole: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "a newer MATLAB file": lambda whole: b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + whole,
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("load", [load_ex4_data, load_ex4_weights])
def test_what_is_no_matlab_file_is_named(save, load, kind):
    path = save(X=X, y=Y)
    path.write_bytes(BROKEN[kind](path.read_bytes()))
    # Of zeros, some versions of SciPy say that they are a file without any matrix.
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}: expected .*, found "):
        load(path)


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ({"X": X}, r"expected the matrices X and y, found \['X'\]"),
        (THETAS, r"expected the matrices X and y, found \['Theta1', 'Theta2'\]"),
        ({"X": X, "y": Y - 1}, r"labels 1 to 10, found .* \[0\.0, 1\.0, .*\]"),
        ({"X": X, "y": Y + 0.5}, r"labels 1 to 10, found .* \[1\.5, 2\.5, .*\]"),
        ({"X": X, "y": Y.T}, r"y of shape \(20, 1\) with .*, found y of shape \(1, 20\)"),
        ({"X": X, "y": Y[:-1]}, r"y of shape \(20, 1\) with .*, found y of shape \(19, 1\)"),
        (
            {"X": "text", "y": Y},
            "expected X as a matrix of finite real numbers, found .* dtype <U4",
        ),
        ({"X": X * np.nan, "y": Y}, "expected X as a matrix of finite real numbers"),
        ({"X": X * 1j, "y": Y}, "expected X as a matrix .*, found .* dtype complex128"),
        ({"X": X.reshape(20, 4, 4), "y": Y}, r"expected X as a matrix .* \(20, 4, 4\)"),
        ({"X": np.ones((0, 0)), "y": Y}, r"expected X as a matrix .* \(0, 0\)"),
        ({"X": {"a": 1}, "y": Y}, "expected X as a matrix"),
        ({"X": sp.csc_matrix(X), "y": Y}, "expected X as a matrix .*, found csc_"),
    ],
)
def test_wrong_data_are_told_from_what_was_expected(save, matrices, message):
    with pytest.raises(ValueError, match=message):
        load_ex4_data(save(**matrices))


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ({"X": X, "y": Y}, r"expected the matrices Theta1 and Theta2, found \['X', 'y'\]"),
        (
            {**THETAS, "Theta2": np.ones((2, 5))},
            r"expected Theta2 with 4 columns, .* found Theta2 of shape \(2, 5\)",
        ),
        ({**THETAS, "Theta1": "text"}, "expected Theta1 as a matrix of finite real numbers"),
    ],
)
def test_wrong_weights_are_told_from_what_was_expected(save, matrices, message):
    with pytest.raises(ValueError, match=message):
        load_ex4_weights(save(**matrices))
