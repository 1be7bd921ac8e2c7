import json

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED
from typer.testing import CliRunner

from emc.cli.main import app
from emc.config import read_settings
from emc.errors import InputError, UsageError
from emc.pose.skeletons.skeleton import H36M17
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import generate_motion
from emc.workflow.bench.lift import PLAIN, VARIANTS, action_of, bench_lift, variants_named


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A mocap.npz of the package's own motion, named as the benchmark's clips are."""
    folder = tmp_path_factory.mktemp("mocap")
    clips = {}
    for seed, (name, motion) in enumerate(
        [
            ("cmu/walking_1_test", "walk"),
            ("cmu/jumping_1", "jump"),
            *((f"deepmimic/kick_{i}", "side_kick") for i in range(6)),
        ]
    ):
        rng = np.random.default_rng([5, seed])
        clips[name] = generate_motion(motion, 1.0, 30.0, sample_body(rng), rng).h36m.astype(np.float32)
    np.savez(folder / "mocap.npz", **clips)
    return folder


def quick(**lift):
    return read_settings(None, EMBEDDED, predict={"threads": 1}, evaluate={"bootstrap": 50}, lift=lift)


def test_calibrated_noise_lifts_better_and_the_summary_says_so(data):
    document = bench_lift(data, quick(), uncommon=["deepmimic/kick*"], cameras=2)
    uncommon = document["populations"]["uncommon"]
    assert uncommon["clips"] == [f"deepmimic/kick_{i}" for i in range(6)]
    assert uncommon["frames"] == 6 * 2 * 30
    plain = uncommon["variants"][PLAIN]
    exact, before, after = (plain[when]["mpjpe"]["value"] for when in ("exact", "before", "after"))
    assert exact < after < before
    assert document["summary"] == {
        "mpjpe_before": pytest.approx(before, abs=1e-3),
        "mpjpe_after": pytest.approx(after, abs=1e-3),
        "p_mpjpe_before": pytest.approx(plain["before"]["p_mpjpe"]["value"], abs=1e-3),
        "p_mpjpe_after": pytest.approx(plain["after"]["p_mpjpe"]["value"], abs=1e-3),
    }
    assert plain["change"]["mpjpe"]["value"] == pytest.approx(after - before, abs=1e-6)
    # Both cameras of a clip are one unit of the interval: six units, not twelve.
    assert plain["exact"]["unit"] == "clip"
    assert set(plain["exact"]["per_action"]) == {"kick"}
    # Only the marked test clip counts as common.
    assert document["populations"]["common"]["clips"] == ["cmu/walking_1_test"]
    json.dumps(document, allow_nan=False)


def test_a_variant_is_scored_against_the_plain_lifter(data):
    def no_wrists(seen, lifted):
        assert seen.xy.shape == (30, 17, 2) and seen.fps == 30.0
        out = lifted.copy()
        out[:, H36M17.index("left_wrist")] = out[:, H36M17.index("left_elbow")]
        return out

    variants = {PLAIN: VARIANTS[PLAIN], "no_wrists": no_wrists}
    document = bench_lift(
        data, quick(), common=["cmu/walking*"], uncommon=["deepmimic/kick_0"], cameras=1, variants=variants
    )
    rows = document["populations"]["common"]["variants"]
    gain = rows["no_wrists"]["gain"]["exact"]["mpjpe"]["value"]
    difference = rows["no_wrists"]["exact"]["mpjpe"]["value"] - rows[PLAIN]["exact"]["mpjpe"]["value"]
    assert gain == pytest.approx(difference) and gain > 1
    assert rows["no_wrists"]["exact"]["per_joint"]["left_elbow"] == rows[PLAIN]["exact"]["per_joint"]["left_elbow"]
    assert "gain" not in rows[PLAIN]


def test_treatments_are_chosen_by_name():
    assert list(variants_named(["refined"])) == ["plain", "refined"]
    assert variants_named(None) is VARIANTS
    with pytest.raises(UsageError, match="--variant sharper: use some of plain, smoothed"):
        variants_named(["sharper"])


def test_the_same_command_gives_the_same_figures(data):
    options = {"common": ["cmu/walking*"], "uncommon": ["deepmimic/kick_1"], "cameras": 1}
    assert bench_lift(data, quick(), **options) == bench_lift(data, quick(), **options)


def test_clips_that_are_not_there_are_told(data, tmp_path):
    with pytest.raises(InputError, match=r"no clip of mocap.npz fits the uncommon patterns x\*"):
        bench_lift(data, quick(), uncommon=["x*"], cameras=1)
    with pytest.raises(InputError, match="mocap.npz"):
        bench_lift(tmp_path, quick())
    with pytest.raises(InputError, match="cannot read the noise model other"):
        bench_lift(data, quick(), before="other")


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("cmu/walking_6_test", "walking"),
        ("cmu/basketball_signal_2", "basketball_signal"),
        ("deepmimic/dance_a", "dance_a"),
    ],
)
def test_actions_in_names(name, action):
    assert action_of(name) == action


def test_the_command_prints_one_json_document(data):
    options = [
        "--common",
        "cmu/walking*",
        "--uncommon",
        "deepmimic/kick_2",
        "--cameras",
        "1",
        "--set",
        "evaluate.bootstrap=10",
    ]
    done = CliRunner().invoke(app, ["bench", "lift", "--data", str(data), *options, "--json"])
    assert done.exit_code == 0
    assert set(json.loads(done.stdout)["summary"]) == {"mpjpe_before", "mpjpe_after", "p_mpjpe_before", "p_mpjpe_after"}
    table = CliRunner().invoke(app, ["bench", "lift", "--data", str(data), *options])
    assert "after calibration: MPJPE" in table.stdout


@pytest.mark.shared_data
def test_the_sources_claim_holds_on_captured_motion(shared_data):
    document = bench_lift(shared_data / "mocap", quick(), common=["cmu/walking_6_test"], cameras=1)
    change = document["populations"]["uncommon"]["variants"][PLAIN]["change"]["mpjpe"]
    assert change["ci95"][1] < 0
