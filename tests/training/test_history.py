"""The record of training: what belongs to which iteration, over several calls."""

import math

import numpy as np

from backprop_mlp._training.history import History, Record

NAN = math.nan


def test_new_records_follow_the_curves_before():
    history = History([5.0, 4.0], [0.1, 0.2], [5.5, 4.5])
    history.put(1, Record(3.0, 0.3, 3.5))
    assert history.n_iter == 1
    assert len(history) == 3
    assert history.costs == [5.0, 4.0, 3.0]
    assert history.scores == [0.1, 0.2, 0.3]
    assert history.losses == [5.5, 4.5, 3.5]


def test_iterations_without_validation_rows_have_nan():
    history = History([5.0, 4.0])
    history.put(1, Record(3.0))
    assert history.scores is history.losses is None
    history.put(2, Record(2.0, 0.3, 2.5))
    np.testing.assert_array_equal(history.scores, [NAN, NAN, NAN, 0.3])
    np.testing.assert_array_equal(history.losses, [NAN, NAN, NAN, 2.5])


def test_an_iteration_that_is_noted_twice_is_there_once():
    history = History([5.0])
    history.put(1, Record(3.0))
    history.put(2, Record(2.0))
    history.put(2, Record(2.0))
    assert history.costs == [5.0, 3.0, 2.0]


def test_a_score_that_is_nan_was_measured():
    history = History()
    history.put(1, Record(3.0, NAN, 3.5))
    np.testing.assert_array_equal(history.scores, [NAN])


def test_shorter_validation_curves_belong_to_the_last_iterations():
    history = History([5.0, 4.0, 3.0], [0.3], [3.5])
    np.testing.assert_array_equal(history.scores, [NAN, NAN, 0.3])
    np.testing.assert_array_equal(history.losses, [NAN, NAN, 3.5])


def test_earlier_curves_are_left_alone():
    curves = [5.0], [0.1], [5.5]
    history = History(*curves)
    history.put(1, Record(4.0, 0.2, 4.5))
    history.costs.append(1.0)
    assert curves == ([5.0], [0.1], [5.5])
    assert history.costs == [5.0, 4.0]
