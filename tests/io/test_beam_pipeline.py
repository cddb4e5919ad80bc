"""Options of Beam: mistyped ones do not run a job elsewhere than wanted."""

import pytest

from anonygan_jax.io.beam_pipeline import parse_options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--runnr=FlinkRunner", "Beam has no option --runnr"),
        ("--runner=DirectRunner --nothing", "Beam has no option --nothing"),
        ("FlinkRunner", "'FlinkRunner' belongs to no option"),
        ("--direct_num_workers=2 3", "'3' belongs to no option"),
        ("--direct_num_workers=x", "invalid int value: 'x'"),
        ("--runner='", "No closing quotation"),
        ("--runner=FlinkRuner", "Unexpected pipeline runner: FlinkRuner"),
        ("--runner=direct --nothing", "Beam has no option --nothing"),
        ("--help", "Beam's site explains them"),
    ],
)
def test_mistyped_options_are_refused(text, expected, capfd):
    with pytest.raises(ValueError, match=expected) as caught:
        parse_options(text)
    assert str(caught.value).startswith(f"--beam {text!r}: ")
    assert not any(capfd.readouterr())


@pytest.mark.parametrize(
    ("text", "workers"),
    [("", 1), ("--direct_num_workers=2", 2), ("--direct_num_workers 3", 3)],
)
def test_options_of_this_machine_are_read(text, workers):
    assert parse_options(text).get_all_options()["direct_num_workers"] == workers


def test_runners_elsewhere_have_options_of_their_own():
    options = parse_options("--runner=FlinkRunner --object_reuse=true")
    assert options.get_all_options()["runner"] == "FlinkRunner"
