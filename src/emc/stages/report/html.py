"""Render the report as one HTML page that needs no network and no other file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

import emc.stages.report.people as people
import emc.stages.report.wording as wording
from emc.errors import InputError
from emc.pose.metrics import AP_NAMES, MIN_JOINTS, SCORE_PARTS, too_few
from emc.stages.report.document import check_report, full_report
from emc.stages.report.drawings import curve_plot, ladder_plot, no_ladder

Document = Mapping[str, Any]

_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
_AP_WORDS = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "apm": "APm", "apl": "APl", "ar": "AR"}
_HEAD_WORDS = {
    "head_segment": "head segment (neck to head top)",
    "mpii_box": "MPII head box (0.6 x its diagonal)",
    "face_box": "face box (diagonal around the labelled face joints)",
    "ears": "ear to ear",
    "torso": "torso (right shoulder to left hip; this makes it PCK, not PCKh)",
    "bbox": "longer side of the person box (this makes it PCK, not PCKh)",
}


def render_html(report: Document, media: Mapping[str, bytes | str]) -> str:
    """Return the page.

    report : of `build_report`. media : what the report names: pictures of ``examples`` (JPEG, PNG or WebP bytes) and
    the ``three_d.sequence`` (JSON text of `sequence_medium`). Everything is put into the page; scripts and styles are
    allowed by their hashes alone. Raises `InputError` where a named medium is missing or of another kind.
    """
    document = full_report(report)
    assets = files("emc.assets") / "report"
    css, viewer, slider = ((assets / name).read_text("utf-8") for name in ("report.css", "viewer.js", "slider.js"))
    pages = {name: (assets / name).read_text("utf-8") for name in ("template.html.j2", "parts.html.j2")}
    template = _environment(pages).get_template("template.html.j2")
    base, chosen = _entry(document, 0), _entry(document, document["chosen"]["step"])
    return template.render(
        report=document,
        verdict=wording.verdict(document),
        whose={role: people.whose(document["data"], role) for role in ("target", "common")},
        rendered=people.rendered_note(document["data"]),
        effort=people.effort_tiles(document["effort"]) if document["effort"] else [],
        corrections=people.corrections_note(document["effort"]),
        few={part: wording.few_errors(document, part) for part in ("leg", "total")},
        parts=_parts(base),
        precisions=_precisions(document),
        base=base,
        chosen=chosen,
        ladder=ladder_plot(document),
        no_ladder=no_ladder(document),
        min_joints=MIN_JOINTS,
        curves=[c for c in _curves(base, chosen) if c],
        sequence=_sequence(document, media),
        pictures=_pictures(document, media),
        grid=_grid(document, media),
        css=Markup(css),
        scripts=[Markup(viewer), Markup(slider)],
        policy=_policy([css], [viewer, slider]),
        download=_data_uri("application/json", json.dumps(check_report(report), indent=1).encode()),
    )


def _parts(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the scores: the usual parts, then those that a skeleton of one's own adds."""
    target: Mapping[str, Any] = entry.get("target") or {}
    scored: Mapping[str, Any] = target.get("pckh", {})
    return (*SCORE_PARTS, *(part for part in scored if part not in SCORE_PARTS))


def _environment(pages: Mapping[str, str]) -> Environment:
    environment = Environment(
        loader=DictLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(  # pyright: ignore[reportUnknownMemberType]
        too_few=too_few,
        percent=wording.percent,
        percent_interval=wording.percent_interval,
        points=wording.points,
        points_interval=wording.points_interval,
        mm=wording.millimetres,
        interval=wording.interval,
        number=wording.number,
        duration=wording.duration,
        sentence=wording.sentence,
        head_words=_head_words,
        ap_words=_AP_WORDS.__getitem__,
        limbs=_limbs,
        groups=_groups,
    )
    return environment


def _head_words(name: str) -> str:
    return _HEAD_WORDS.get(name, name)


def _precisions(document: Document) -> list[str]:
    """Return the names of the AP figures that the common population has."""
    common: list[Document] = [entry["common"] for entry in document["ladder"] if entry.get("common")]
    return [name for name in AP_NAMES if any(population.get(name) for population in common)]


def _entry(document: Document, step: int) -> Document:
    return next((e for e in document["ladder"] if e["step"] == step), document["ladder"][0])


def _curves(base: Document, chosen: Document) -> list[Any]:
    return [
        curve_plot(base["target"], chosen["target"], "leg", "Target: leg"),
        curve_plot(base["target"], chosen["target"], "total", "Target: all joints"),
        curve_plot(base.get("common"), chosen.get("common"), "total", "Common: all joints"),
    ]


def _limbs(points: Sequence[Sequence[float] | None], limbs: Sequence[tuple[int, int]]) -> list[tuple[Any, Any]]:
    """Return the pairs of points of the limbs whose both ends are known."""
    return [(points[a], points[b]) for a, b in limbs if points[a] is not None and points[b] is not None]


def _groups(names: Sequence[str], most: int = 12) -> str:
    """Return names in one line, long lists cut."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more if names else wording.NOTHING


def _sequence(document: Document, media: Mapping[str, bytes | str]) -> Any:
    three_d: Document | None = document["three_d"]
    if three_d is None or three_d["sequence"] is None:
        return None
    name: str = three_d["sequence"]
    try:
        return json.loads(_medium(name, media))
    except ValueError as error:
        raise InputError(
            f"medium {name} is not the JSON of a 3D sequence ({error}): make it with sequence_medium"
        ) from error


def _pictures(document: Document, media: Mapping[str, bytes | str]) -> dict[str, str]:
    examples: list[Document] = document["examples"] or []
    return {example["image"]: _picture(example["image"], media) for example in examples}


def _grid(document: Document, media: Mapping[str, bytes | str]) -> str | None:
    grid: Document | None = document["checkpoint_grid"]
    return None if grid is None else _picture(grid["image"], media)


def _picture(name: str, media: Mapping[str, bytes | str]) -> str:
    content = _medium(name, media)
    if isinstance(content, bytes):
        for start, kind in _PICTURES.items():
            if content.startswith(start):
                return _data_uri(kind, content)
    raise InputError(f"medium {name} is no JPEG, PNG or WebP picture: make it with example_of")


def _medium(name: str, media: Mapping[str, bytes | str]) -> bytes | str:
    if name not in media:
        raise InputError(f"the report names medium {name}, which was not given: pass it, or leave its entry out")
    return media[name]


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a content security policy that lets in the page's own parts, by hash, and nothing from outside."""
    allowed = [
        " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts)
        for texts in (styles, scripts)
    ]
    rules = ["default-src 'none'", "img-src data:", f"style-src {allowed[0]}", f"script-src {allowed[1]}"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])
