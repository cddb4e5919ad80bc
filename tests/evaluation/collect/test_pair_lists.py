"""LFW's lists of pairs, both forms, and what is wrong with others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.evaluation.collect import pair_lists
from anonygan_jax.evaluation.collect.pair_lists import PairListError, read_pairs


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ten_folds_as_the_file_has_them(tmp_path):
    lines = ["2\t1", "Ann_Lee 1 4", "Ann_Lee 2 Bo 3", "Bo 1 2", "Cy 1 Bo 1"]
    pairs = read_pairs(write(tmp_path / "pairs.txt", lines))
    assert pairs.first == [f"{n}/{n}_0001" for n in ("Ann_Lee",)] + [
        "Ann_Lee/Ann_Lee_0002",
        "Bo/Bo_0001",
        "Cy/Cy_0001",
    ]
    assert pairs.second[:2] == ["Ann_Lee/Ann_Lee_0004", "Bo/Bo_0003"]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]


@given(size=st.integers(10, 60))
def test_development_files_are_cut_into_ten_equal_folds(tmp_path_factory, size):
    lines = [str(size), *(f"P{i} 1 2" for i in range(size))]
    lines += [f"P{i} 1 Q{i} 1" for i in range(size)]
    pairs = read_pairs(write(tmp_path_factory.mktemp("p") / "dev.txt", lines))
    for kind in (True, False):
        folds = pairs.fold[pairs.same == kind].tolist()
        assert folds == sorted(folds)
        counts = [folds.count(k) for k in range(10)]
        assert max(counts) - min(counts) <= 1


def test_pairs_of_some_photos_and_pairs_spread_over_the_list(tmp_path):
    lines = ["20", *(f"P{i} 1 2" for i in range(20))]
    lines += [f"P{i} 1 Q{i} 1" for i in range(20)]
    pairs = read_pairs(write(tmp_path / "dev.txt", lines))
    photos = {"P3/P3_0001", "P3/P3_0002", "Q3/Q3_0001", "P4/P4_0001"}
    some = pairs.among(photos, photos)
    assert some.first == ["P3/P3_0001"] * 2
    assert some.same.tolist() == [True, False]
    seconds_alone = pairs.among(photos, {"P3/P3_0002", "P4/P4_0001"})
    assert seconds_alone.second == ["P3/P3_0002"]
    few = pairs.thinned(12)
    assert len(few.photos()) <= 12
    assert 0 < few.same.sum() < len(few)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ten"], "line 1 must say"),
        (["1", "Ann 1 2", "Ann 1"], "line 3 is neither"),
        (["1", "Ann 1 2", "Ann x Bo 2"], "line 3 is neither"),
        (["2", "Ann 1 2", "Ann 1 Bo 2"], "2 pairs, but line 1 promises 4"),
    ],
)
def test_other_files_are_refused_by_line(tmp_path, lines, message):
    with pytest.raises(PairListError, match=message):
        read_pairs(write(tmp_path / "bad.txt", lines))
    with pytest.raises(PairListError, match="cannot be read"):
        read_pairs(tmp_path / "none.txt")


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "1e3"])
def test_other_numbers_than_counts_are_named(number, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text(f"{number} 1\n")
    with pytest.raises(PairListError, match="line 1 must say"):
        read_pairs(path)
    path.write_text(f"1\nA 1 {number}\nA 1 B 2\n")
    with pytest.raises(PairListError, match="line 2 is neither"):
        read_pairs(path)


def test_a_list_of_no_pairs_is_read(tmp_path):
    (tmp_path / "pairs.txt").write_text("0\n")
    assert len(read_pairs(tmp_path / "pairs.txt")) == 0


def test_without_a_list_each_photo_meets_its_person_and_a_stranger():
    known = {f"p{i}/{j}" for i in range(5) for j in range(i + 1)}  # p0 has one photo
    pairs = pair_lists.pairs_of(known, known - {"p1/0"})
    assert len(pairs) == 2 * (len(known) - 2)
    for first, second, same in zip(pairs.first, pairs.second, pairs.same, strict=True):
        assert first != second
        assert (first[:2] == second[:2]) == same
    assert "p1/0" not in pairs.second
    assert {second[:2] for second in pairs.second} == {"p1", "p2", "p3", "p4"}
    people = {name[:2]: set() for name in pairs.second}
    for second, fold in zip(pairs.second, pairs.fold, strict=True):
        people[second[:2]].add(fold)
    assert all(len(folds) == 1 for folds in people.values())
    assert pair_lists.pairs_of({"a/1", "a/2"}, {"a/1"}) is None
    assert pair_lists.pairs_of({"a/1", "b/2"}, {"a/1"}) is None


def test_the_next_photo_of_a_person_comes_after_the_last_the_first():
    found = pair_lists.other_photos(["a/2", "a/1", "b/1", "a/3"])
    assert found == {"a/1": "a/2", "a/2": "a/3", "a/3": "a/1"}
    assert pair_lists.other_photos(["x", "y"]) == {}
