"""Damaged files give the documented errors: some of each kind, nightly more of them.

Longer: python tests/fuzz/campaign.py NAME --seconds 600.
"""

import faulthandler

import numpy as np
import pytest
from fuzz.campaign import campaign, read_many
from fuzz.decoders import DECODERS, Decoder
from fuzz.mutations import damaged

# Reading one input of the others takes some hundredths of a second.
QUICK = (
    *("photos", "boxes", "tracks", "lists", "torch_files", "packs", "reports"),
    "banks",
)
SECONDS = 20


@pytest.mark.parametrize("name", QUICK)
def test_some_damaged_files_are_refused(name, tmp_path):
    rng = np.random.default_rng(7)
    counts = read_many(DECODERS[name](), rng, tmp_path, tmp_path, count=150)
    assert counts["refused"] > 10
    assert counts["read"] + counts["refused"] == 150, counts


def test_an_input_that_hangs_ends_the_process_from_the_first_on(tmp_path, monkeypatch):
    armed, watched = [], []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda *_, **__: armed.append(1)
    )
    decoder = Decoder({".x": [b"abc"]}, lambda _: watched.append(len(armed)), ())
    read_many(decoder, np.random.default_rng(0), tmp_path, tmp_path, count=3)
    assert watched == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_many_damaged_files_are_refused(name, tmp_path):
    found = campaign(name, SECONDS, tmp_path)
    assert found["faults"] == {}
    assert found["refused"]


def test_valid_files_are_read_and_most_damaged_ones_differ(tmp_path):
    rng = np.random.default_rng(0)
    for name in QUICK:
        decoder = DECODERS[name]()
        for suffix, seeds in decoder.seeds.items():
            for number, seed in enumerate(seeds):
                path = tmp_path / f"{name}{number}{suffix}"
                path.write_bytes(seed)
                if name != "lists" and not seed.startswith(b"%!PS"):
                    decoder.read(path)
            changed = [damaged(rng, seeds) not in seeds for _ in range(100)]
            assert sum(changed) > 80
