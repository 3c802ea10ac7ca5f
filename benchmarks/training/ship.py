"""Checkpoints of examples/, from the weights that experiments have left in their folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from checkpoints import CHECKPOINTS, SPECTRA
from data_sets import data_folder
from fashion_mnist import DATA
from safetensors.torch import load_file
from sparse_weights import save_sparse

from niwaki.errors import NiwakiError

from .experiment import Place
from .plan import SHIPPED
from .tasks import digits

EVERY = 5  # of 1,000 clips one is shipped


def ship(place: Place) -> Iterator[Path]:
    """Write the checkpoints, and spectra of held-out speakers; gives the files.

    Raises:
        NiwakiError: no data, or an experiment has not been run.
    """
    for name, experiment in SHIPPED.items():
        trained = place.work / f"{experiment.name}.safetensors"
        if not trained.exists():
            raise NiwakiError(f"{trained} is missing: run `{experiment.command}` first")
        path = DATA / CHECKPOINTS[name].file
        save_sparse(load_file(trained), path)
        yield path
    split = digits(data_folder(place.data), SHIPPED["digit_gru"].seed)
    spectra, labels = (values[::EVERY].numpy() for values in (split.inputs, split.labels))
    np.savez_compressed(SPECTRA, spectra=spectra.astype(np.float16), labels=labels.astype(np.uint8))
    yield SPECTRA
