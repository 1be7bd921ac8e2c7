import html.parser
import re
from importlib.resources import files

import pytest
from tests.stages.report.made_up import made_up
from tests.stages.report.test_document import FIGURE, population, smallest

from emc.errors import InputError
from emc.stages.report import render_html


class Reader(html.parser.HTMLParser):
    """Collects ids, links, addresses and text; notes tags that are closed in the wrong order."""

    VOID = frozenset({"meta", "link", "input", "br", "image", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src") and value and value.startswith("#"):
                self.anchors.append(value[1:])
            elif name in ("href", "src", "xlink:href", "action", "srcset") and value:
                self.addresses.append(value[:12])

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(*made_up(resamples=20))


def test_page_is_well_formed_and_its_links_lead_somewhere(page: str) -> None:
    reader = read(page)
    assert reader.faults == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert set(reader.anchors) <= set(reader.ids)
    assert {"ladder", "scores", "curves", "frames", "three-d", "data", "effort", "setup", "reading"} <= set(reader.ids)


def test_page_asks_for_nothing_from_outside(page: str) -> None:
    assert set(read(page).addresses) == {"data:image/j", "data:image/p", "data:applica", "data:,"}
    assert "@import" not in page
    assert "url(http" not in page


def test_page_shows_the_figures(page: str) -> None:
    report, _ = made_up(resamples=20)
    text = read(page).text
    leg = report["ladder"][3]["target"]["pckh"]["leg"]
    assert f"{100 * leg['value']:.1f}[{100 * leg['ci95'][0]:.1f}, {100 * leg['ci95'][1]:.1f}]" in text
    assert "head segment (neck to head top)" in text
    assert "athlete_14, athlete_15" in text
    assert "made-up figures" in text
    assert "24 min" in text


def test_smallest_report_leaves_out_what_was_not_measured() -> None:
    reader = read(render_html(smallest(), {}))
    assert reader.faults == []
    assert not {"curves", "frames", "three-d", "effort"} & set(reader.ids)
    assert "The base model is kept" in reader.text


def test_figures_without_interval_and_without_value_are_said() -> None:
    empty = {part: {"value": None, "ci95": None, "n": 0} for part in population()["pckh"]}
    poor = {"value": 0.25, "ci95": None, "n": 3}
    report = smallest(
        ladder=[{"step": 0, "target": population(), "common": {**population(), "pckh": empty}}],
        before_after={"leg_errors_removed": poor, "unit": "frame"},
        data={
            "target": {"clips": 1, "frames": 2, "persons": 2},
            "common": {"clips": 1, "frames": 1, "persons": 1},
            "leaks": 3,
        },
    )
    text = read(render_html(report, {})).text
    assert "fewer than five clips or frames" in text
    assert "too few clips to draw clips" in text
    assert "✗ 3 found" in text


def test_three_d_without_a_sequence_and_without_common() -> None:
    scores = {
        "mpjpe": {**FIGURE, "value": 50.0, "ci95": [45.0, 55.0]},
        "p_mpjpe": {**FIGURE, "value": 40.0, "ci95": None},
    }
    text = read(render_html(smallest(three_d={"before": scores, "after": scores}), {})).text
    assert "P-MPJPE" in text
    assert "50.0[45.0, 55.0]" in text


def test_names_from_outside_cannot_become_markup() -> None:
    nasty = '</script><script>alert("x")</script>'
    report, media = made_up()
    report["title"] = nasty
    report["examples"][0]["clip"] = nasty
    report["card"]["splits"]["train"] = [nasty]
    media["three_d.json"] = str(media["three_d.json"]).replace('"clip":"kick_00"', f'"clip":"{nasty[:9]}<b>"')
    page = render_html(report, media)
    assert "<script>alert" not in page
    assert page.count("</script>") == 3
    assert read(page).faults == []


@pytest.mark.parametrize(
    ("medium", "content", "message"),
    [
        ("examples/0.jpg", None, "names medium examples/0.jpg, which was not given"),
        ("examples/0.jpg", b"GIF89a", "no JPEG, PNG or WebP"),
        ("three_d.json", "{", "not the JSON of a 3D sequence"),
    ],
)
def test_missing_or_wrong_media_are_named(medium: str, content: bytes | str | None, message: str) -> None:
    report, media = made_up()
    if content is None:
        del media[medium]
    else:
        media[medium] = content
    with pytest.raises(InputError, match=message):
        render_html(report, media)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_wcag_aa_in_light_and_dark() -> None:
    css = (files("emc.assets") / "report" / "report.css").read_text("utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    ]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for scheme in schemes:
        for ink in ("ink", "soft", "before", "after", "truth", "good", "bad"):
            for paper in ("paper", "panel"):
                assert contrast(scheme[ink], scheme[paper]) >= 4.5, (ink, paper)
        assert contrast(scheme["soft"], scheme["mark"]) >= 4.5
        assert contrast(scheme["after"], scheme["mark"]) >= 4.5
        assert contrast(scheme["ink"], scheme["alarm"]) >= 4.5
        assert contrast(scheme["bad"], scheme["refused"]) >= 4.5


def test_the_page_shows_hard_frames_by_checkpoint_and_why_steps_were_refused(page: str) -> None:
    reader = read(page)
    assert "checkpoints" in reader.ids
    assert page.count("data:image/png;base64,") == 1
    assert "step 800: common worse by 3.96 points" in reader.text
    report, media = made_up()
    del media["checkpoints.png"]
    with pytest.raises(InputError, match="checkpoints"):
        render_html(report, media)
    del report["checkpoint_grid"]
    assert "checkpoints" not in read(render_html(report, media)).ids
