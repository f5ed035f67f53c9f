"""Data of one's own: what is written is what the program trains on."""

import numpy
import pandas
import pytest
import souk

RANDOM = numpy.random.default_rng(7)


def scenario_of(fields, model="logreg {}"):
    more = "rounds: 2 participants { clients: 3 everyone: true } "
    return souk.Scenario(more + "task { model { " + model + " } }").set(fields)


def test_a_frame_with_named_classes_is_trained_on():
    frame = pandas.DataFrame(RANDOM.normal(size=(60, 3)), columns=["a", "b", "c"])
    labels = pandas.Series(numpy.where(frame["a"] > 0, "yes", "no"))
    fields = souk.write_data("mine.npz", frame, labels, split_seed=1)
    text = souk.check(scenario_of(fields))
    assert "48 training and 12 test samples of 3 features, 2 classes: no" in text
    with numpy.load("mine.npz") as arrays:
        assert arrays["x_train"].dtype == numpy.float32
        numpy.testing.assert_array_equal(arrays["y_train"], (labels == "yes").astype(int))
    assert souk.run(scenario_of(fields)).status == "done"


def test_images_with_test_samples_and_groups_are_taken_as_they_are():
    images = RANDOM.integers(0, 256, size=(40, 8, 8, 3), dtype=numpy.uint8)
    labels = numpy.arange(40) % 4 * 10
    owners = numpy.array(["ann", "bob"])[numpy.arange(40) // 20]
    fields = souk.write_data("i.npz", images[:30], labels[:30], test_features=images[30:], test_labels=labels[30:],
                             groups=owners[:30])  # fmt: skip
    with numpy.load("i.npz") as arrays:
        numpy.testing.assert_array_equal(arrays["x_train"], images[:30])
    scenario = scenario_of(fields).set({"participants.clients": 2, "partition.natural": {}})
    assert "30 training and 10 test samples of 3x8x8 pixels, 4 classes: 0 " in souk.check(scenario)
    run = souk.run(scenario)
    assert sorted(run.agents()["samples"]) == [10, 20]


def test_numbers_to_predict_have_no_classes():
    x = RANDOM.normal(size=(50, 2))
    fields = souk.write_data("r.npz", x, x[:, 0] * 2.5, regression=True)
    assert "r2" in souk.run(scenario_of(fields, "linear {}")).last().index


def test_what_cannot_be_meant_is_refused():
    x, y = numpy.zeros((4, 2)), [0, 1, 0, 1]
    for features, labels, message in (
        (pandas.DataFrame({"a": ["x"] * 4}), y, "columns that hold no numbers: a"),
        (x, y[:3], r"labels: shape \(3,\), must be one value for each of 4"),
        (numpy.full((4, 2), numpy.nan), y, "a value is not a finite"),
        (numpy.full((4, 2), 1e300), y, "a value is not a finite"),
        (numpy.array([["a"]] * 4), y, "must be 1 to 4 of numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            souk.write_data("no.npz", features, labels)
    with pytest.raises(ValueError, match="2 is the label of no training sample"):
        souk.write_data("no.npz", x, y, test_features=x[:1], test_labels=[2])
    with pytest.raises(ValueError, match="both be given, or neither"):
        souk.write_data("no.npz", x, y, test_labels=y)
    with pytest.raises(ValueError, match="must end in .npz"):
        souk.write_data("no.npy", x, y)
