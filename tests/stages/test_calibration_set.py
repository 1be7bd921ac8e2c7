import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import LeakError, UsageError
from emc.pose.records import Role
from emc.stages.calibration_set import (
    SampleRef,
    build_calibration_set,
    find_leaks,
    label_sha256,
    selection_sha256,
    split_by_group,
    with_served,
)

TARGET, COMMON = Role.TARGET, Role.COMMON


def refs(clip, group, frames, role=TARGET, **more):
    return [SampleRef(clip, group, frame, 0, role, **more) for frame in frames]


def athletes(count, frames=10, role=TARGET, clips=1):
    return [
        ref
        for a in range(count)
        for c in range(clips)
        for ref in refs(f"{role.value}_{a}_{c}", f"{role.value}-{a}", range(frames), role)
    ]


def both(share):
    return {TARGET: share, COMMON: share}


def groups(samples):
    return {ref.group for ref in samples}


@given(
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=12),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 20),
)
@settings(max_examples=80, deadline=None)
def test_no_group_is_ever_on_both_sides_and_nothing_is_lost(sizes, share, seed):
    samples = [ref for a, n in enumerate(sizes) for c in range(2) for ref in refs(f"{a}-{c}", f"g{a}", range(n))]
    split = split_by_group(samples, both(share), seed)
    assert not groups(split.train) & groups(split.validation)
    assert split.train
    assert split.validation
    assert len(split.train) + len(split.validation) == len(samples)
    assert split.warnings == ()
    assert find_leaks(split.train, split.validation, units=split.units) == []


def test_more_common_groups_may_judge_than_target_groups_choose():
    chosen = build_calibration_set(
        athletes(10) + athletes(10, role=COMMON), validation=0.2, validation_common=0.5, seed=3
    )
    held = chosen.split.validation
    assert [sum(ref.role is role for ref in held) for role in (TARGET, COMMON)] == [20, 50]


def test_the_share_is_met_for_each_role_where_the_groups_allow_it():
    split = split_by_group(athletes(10) + athletes(5, role=COMMON), both(0.2), seed=3)
    assert sum(ref.role is TARGET for ref in split.validation) == 20
    assert sum(ref.role is COMMON for ref in split.validation) == 10


def test_a_group_with_both_roles_is_on_one_side():
    samples = athletes(6) + [replace(ref, role=COMMON, clip="c" + ref.clip) for ref in athletes(6)]
    for seed in range(10):
        split = split_by_group(samples, both(0.3), seed)
        assert not groups(split.train) & groups(split.validation)
        assert {ref.role for ref in split.validation} == {TARGET, COMMON}


def test_the_order_of_the_samples_does_not_matter_and_the_seed_does():
    samples = athletes(8) + athletes(8, role=COMMON)
    shuffled = samples.copy()
    random.Random(1).shuffle(shuffled)
    assert split_by_group(samples, both(0.25), 5) == split_by_group(shuffled, both(0.25), 5)
    assert len({tuple(sorted(groups(split_by_group(samples, both(0.25), s).validation))) for s in range(8)}) > 1


def test_one_group_is_split_by_clip_and_says_so():
    samples = [ref for c in range(5) for ref in refs(f"kick_{c}", "anna", range(10))]
    split = split_by_group(samples, both(0.2), 0)
    assert split.units == {TARGET: "clip"}
    assert len({ref.clip for ref in split.validation}) == 1
    assert not {ref.clip for ref in split.train} & {ref.clip for ref in split.validation}
    assert "all target clips are of one group (anna)" in split.warnings[0]
    assert find_leaks(split.train, split.validation, units=split.units) == []


def test_one_clip_is_split_by_time_with_a_gap_and_says_so():
    split = split_by_group(refs("kick", "anna", range(100, 300)), both(0.2), 0)
    assert [split.validation[0].frame, split.validation[-1].frame] == [260, 299]
    assert [split.train[0].frame, split.train[-1].frame] == [100, 244]  # 15 frames of guard: 245 to 259
    assert "all target data are of one clip (kick)" in split.warnings[0]
    assert build_calibration_set(refs("kick", "anna", range(100, 300))).card["leaks"] == 0


def test_a_short_clip_has_a_short_gap():
    split = split_by_group(refs("kick", "anna", range(11)), both(0.2), 0)
    assert ([r.frame for r in split.train], [r.frame for r in split.validation]) == (list(range(8)), [9, 10])


def test_what_cannot_be_split_is_refused():
    with pytest.raises(UsageError, match="clip kick has 1 labelled frames, too few"):
        split_by_group(refs("kick", "anna", [3]), both(0.2), 0)
    with pytest.raises(UsageError, match="validation share is 1"):
        split_by_group(athletes(3), both(1.0), 0)
    with pytest.raises(UsageError, match="clip kick, frame 3, person 0 is selected twice"):
        split_by_group(refs("kick", "anna", [3, 3]), both(0.2), 0)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (refs("other", "target-1", [0]), "group target-1 is in "),
        (refs("target_2_0", "someone", [0]), "clip target_2_0 is in "),
        (refs("copy", "someone", [0], media="abc"), "media file abc is in "),
        (refs("copy", "someone", [0], image="123"), "image 123 is in "),
    ],
)
def test_every_kind_of_leak_into_the_test_is_refused_by_name(test, said):
    samples = [replace(ref, media="abc", image="123") if ref.group == "target-0" else ref for ref in athletes(4)]
    with pytest.raises(LeakError, match=said):
        build_calibration_set(samples, test, seed=1)


def test_an_image_that_stands_in_train_and_validation_under_two_names_is_found():
    train, validation = refs("a", "anna", [0, 1], image="same"), refs("b", "ben", [7], image="same")
    assert find_leaks(train, validation) == ["image same is in train and validation"]


def test_unknown_hashes_are_no_leak():
    assert find_leaks(refs("a", "anna", [0]), refs("b", "ben", [0]), refs("c", "cleo", [0])) == []


def test_a_role_split_by_clip_is_excused_in_validation_and_never_in_the_test():
    train, validation, test = refs("a", "anna", [0]), refs("b", "anna", [0]), refs("c", "anna", [0])
    assert find_leaks(train, validation, units={TARGET: "clip"}) == []
    assert find_leaks(train, validation, test, units={TARGET: "clip"}) == [
        "group anna is in train and test",
        "group anna is in validation and test",
    ]
    assert find_leaks(train, refs("a", "anna", [9]), units={TARGET: "clip"}) == ["clip a is in train and validation"]


def test_the_card_tells_what_is_in_the_set():
    kicks = refs("k1", "anna", [0, 1, 2], tags={"clothing": "black", "gender": "f"})
    kicks += refs("k2", "ben", [0], tags={"clothing": "white"})
    kicks += [SampleRef("k2", "ben", 0, 1, TARGET, {"clothing": "white"})]
    walks = refs("w1", "cleo", [0], COMMON) + refs("w2", "dan", [0], COMMON)
    built = build_calibration_set(kicks + walks, refs("t1", "eve", [4]), validation=0.4, mix=(8, 2), seed=0)
    card = built.card
    assert card["counts"]["train"]["target"] == {"clips": 1, "frames": 3, "persons": 3}
    assert card["counts"]["validation"]["target"] == {"clips": 1, "frames": 1, "persons": 2}
    assert card["counts"]["train"]["common"] == {"clips": 1, "frames": 1, "persons": 1}
    assert card["counts"]["test"]["target"] == {"clips": 1, "frames": 1, "persons": 1}
    assert card["tags"]["target"] == {"clothing": {"black": 0.6, "white": 0.4}, "gender": {"": 0.4, "f": 0.6}}
    assert card["splits"]["test"] == ["eve"]
    assert card["kept_whole"] == {"target": "group", "common": "group"}
    assert card["mix"] == {"asked": [8, 2], "served": None}
    assert card["leaks"] == 0
    assert card["warnings"] == []
    assert card["sha256"] == built.sha256


def test_the_card_warns_of_a_one_sided_set():
    samples = [replace(ref, tags={"clothing": "black"}) for ref in athletes(4)]
    assert build_calibration_set(samples).card["warnings"] == [
        "100 % of target persons have clothing = black: the scores speak for these alone"
    ]


def test_the_served_shares_are_filled_after_training():
    card = build_calibration_set(athletes(4)).card
    done = with_served(card, {"target": 801, "common": 199}, "hash")
    assert done["mix"]["served"] == [0.801, 0.199]
    assert done["mix"]["asked"] == [8, 2]
    assert done["mix"]["served_sha256"] == "hash"
    assert card["mix"]["served"] is None


def test_the_hash_is_that_of_the_selection_in_any_order():
    samples = athletes(4)
    assert selection_sha256({"train": samples}) == selection_sha256({"train": samples[::-1]})
    assert build_calibration_set(samples).sha256 == build_calibration_set(samples[::-1]).sha256


@pytest.mark.parametrize(
    "change", [{"label": "other"}, {"frame": 99}, {"tags": {"a": "b"}}, {"image": "i"}, {"group": "g"}, {"media": "m"}]
)
def test_any_change_of_a_sample_changes_the_hash(change):
    samples = athletes(2)
    changed = [replace(samples[0], **change), *samples[1:]]
    assert selection_sha256({"train": samples}) != selection_sha256({"train": changed})
    assert selection_sha256({"train": samples}) != selection_sha256({"validation": samples})


def test_the_hash_of_a_label_is_that_of_its_numbers():
    xy = np.array([[1.0, 2.0], [np.nan, np.nan], [-0.0, 3.0]], np.float32)
    same = label_sha256(xy.astype(np.float64), np.array([2, 0, 1]))
    assert label_sha256(xy, np.array([2, 0, 1], np.int8)) == same
    assert label_sha256(np.abs(xy), np.array([2, 0, 1])) == same
    assert label_sha256(xy, np.array([2, 0, 2])) != same
    assert label_sha256(xy + 0.1, np.array([2, 0, 1])) != same
