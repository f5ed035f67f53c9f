"""Data and models of one's own, from Python into files that scenarios name."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional, Sequence

import numpy
import pandas

from ._program import PathLike


def _features(values: Any, what: str) -> numpy.ndarray:
    """As the program reads them: bytes as they are, all others float32. A frame's columns must be numbers."""
    if isinstance(values, pandas.DataFrame):
        texts = [str(name) for name in values.columns if not pandas.api.types.is_numeric_dtype(values[name])]
        if texts:
            raise ValueError(f"{what}: columns that hold no numbers: {', '.join(texts)}; see pandas.get_dummies")
        values = values.to_numpy()
    array = numpy.asarray(values)
    if not 1 <= array.ndim <= 4 or array.dtype.kind not in "biuf":
        raise ValueError(f"{what}: {array.ndim} dimensions of {array.dtype}; must be 1 to 4 of numbers, samples first")
    with numpy.errstate(over="ignore"):  # infinite then, and refused
        array = numpy.ascontiguousarray(array if array.dtype == numpy.uint8 else array.astype(numpy.float32))
    if not numpy.isfinite(array).all():
        raise ValueError(f"{what}: a value is not a finite float32 number")
    return array


def _column(values: Any, samples: int, what: str) -> numpy.ndarray:
    array = numpy.asarray(values)
    if array.ndim != 1 or len(array) != samples:
        raise ValueError(f"{what}: shape {array.shape}, must be one value for each of {samples} samples")
    return array


class _Labels:
    """Classes in ascending order of their names, numbered; or numbers to predict."""

    def __init__(self, train: numpy.ndarray, regression: bool):
        self._regression = regression
        self.classes = None if regression else numpy.unique(train)

    def coded(self, labels: numpy.ndarray, what: str) -> numpy.ndarray:
        """[n] float32 numbers, or int64 numbers of classes."""
        if self._regression:
            return labels.astype(numpy.float32)
        numbers = numpy.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
        unknown = labels[self.classes[numbers] != labels]
        if len(unknown):
            raise ValueError(f"{what}: {unknown[0]!r} is the label of no training sample")
        return numbers.astype(numpy.int64)


def write_data(
    path: PathLike,
    features: Any,
    labels: Any,
    *,
    test_features: Any = None,
    test_labels: Any = None,
    groups: Optional[Sequence[Any]] = None,
    regression: bool = False,
    test_fraction: float = 0.2,
    split_seed: int = 0,
    channels_last: bool = True,
) -> Dict[str, Any]:
    """Writes samples to an .npz archive, and returns the fields of a scenario that reads it, for Scenario.set.

    features: [n, …], samples first; an array, or a frame with a column per feature. Four dimensions are images, with
    channels last unless channels_last is false. uint8 stays as it is, everything else becomes float32. labels: [n]; of
    any type that can be sorted, and each different one is a class, under its name; with `regression`, numbers to
    predict. test_features, test_labels: of test samples; without them, test_fraction of the samples is drawn, by
    split_seed, or the scenario's seed where that is 0. groups: [n], who a training sample is of, for the partition
    `natural`. Replaces an older archive. Raises ValueError.
    """
    if (test_features is None) != (test_labels is None):
        raise ValueError("test_features and test_labels must both be given, or neither")
    if not str(path).endswith(".npz"):
        raise ValueError(f"{path}: must end in .npz")
    x = _features(features, "features")
    y = _column(labels, len(x), "labels")
    coder = _Labels(y, regression)
    arrays = {"x_train": x, "y_train": coder.coded(y, "labels")}
    fields: Dict[str, Any] = {"path": os.path.abspath(path), "regression": regression, "channels_last": channels_last}
    if coder.classes is not None:
        fields["class_names"] = [str(name) for name in coder.classes]
    if test_features is not None:
        arrays["x_test"] = _features(test_features, "test_features")
        tests = _column(test_labels, len(arrays["x_test"]), "test_labels")
        arrays["y_test"] = coder.coded(tests, "test_labels")
    else:
        fields.update(test_features="", test_labels="", test_fraction=test_fraction, split_seed=split_seed)
    if groups is not None:
        owners = _column(groups, len(x), "groups")
        arrays["groups"] = numpy.unique(owners, return_inverse=True)[1].astype(numpy.int64)
        fields["train_groups"] = "groups"
    numpy.savez(path, **arrays)
    return {"task.data.npy": fields}


def write_parameters(path: PathLike, parameters: Mapping[str, Any]) -> Dict[str, Any]:
    """Writes a model to an .npz archive, and returns the field of a scenario that begins with it, for Scenario.set.

    parameters: arrays by name, as Run.parameters gives them; they become float32. Replaces an older archive. Raises
    ValueError.
    """
    if not str(path).endswith(".npz"):
        raise ValueError(f"{path}: must end in .npz")
    numpy.savez(path, **{name: numpy.ascontiguousarray(array, numpy.float32) for name, array in parameters.items()})
    return {"server.start_from": os.path.abspath(path)}
