"""What is beside the pictures comes back, in each container, or is named."""

import fractions
import io
import math
import pathlib

import av
import pytest
from av.stream import Disposition
from clips import read_clip
from PIL import Image
from recordings import (
    MILLISECOND,
    Sound,
    Subtitles,
    clicks_in,
    cues_in,
    result_of,
    write_recording,
)

from anonygan_jax.anonymise.video.chapters import takes_chapters
from anonygan_jax.anonymise.video.container import opened
from anonygan_jax.anonymise.video.output_formats import OUTPUT_FORMATS
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.subtitles import _one_at_a_time
from anonygan_jax.anonymise.video.transcode import transcode

CUES = [(0.1, 0.3, "one"), (0.5, 0.7, "two")]
FONT = b"\0\1\0\0" + bytes(range(256))


def _codec(stream) -> str:
    """FFmpeg's name, the same for all decoders of a codec."""
    return stream.codec_context.codec.canonical_name


def _tags(path: pathlib.Path, kind: str) -> list[tuple[str, str, int]]:
    """Language, title and disposition of each stream of a kind."""
    found = []
    with av.open(str(path)) as container:
        for stream in container.streams:
            if stream.type == kind:
                tags = stream.metadata
                title = tags.get("title") or tags.get("name", "")
                language = tags.get("language", "und")
                found.append((language, title, int(stream.disposition)))
    return found


@pytest.mark.parametrize(
    ("name", "codecs", "suffix", "made"),
    [
        ("a.mkv", ("aac", "ac3", "flac"), ".mp4", ("aac", "ac3", "flac")),
        ("a.mkv", ("pcm_s16le", "libopus", "mp2"), ".mp4", ("aac", "opus", "aac")),
        ("a.mkv", ("pcm_s24le", "flac", "mp2"), ".mkv", None),
        ("a.mov", ("pcm_s24le", "alac", "pcm_mulaw"), ".mov", None),
        ("a.mkv", ("libopus", "aac", "flac"), ".mov", ("aac", "aac", "aac")),
        ("a.webm", ("libopus", "vorbis"), ".webm", ("opus", "opus")),
        ("a.mp4", ("aac", "flac"), ".webm", ("opus", "opus")),
    ],
)
def test_all_tracks_of_sound_are_copied_or_made_new(
    name, codecs, suffix, made, tmp_path
):
    layouts = ["stereo" if codec == "vorbis" else "mono" for codec in codecs]
    tracks = [
        Sound(codec, layout=layout, clicks=(0.3 + 0.1 * number,))
        for number, (codec, layout) in enumerate(zip(codecs, layouts, strict=True))
    ]
    pictures = "libvpx-vp9" if ".webm" in (suffix, name[1:]) else "mpeg4"
    path = write_recording(tmp_path / name, *tracks, pictures=pictures)
    note, output = result_of(path, suffix)
    assert note == ""
    with av.open(str(path)) as before, av.open(str(output)) as after:
        assert after.streams[0].type == "video"
        were = tuple(map(_codec, before.streams.audio))
        assert tuple(map(_codec, after.streams.audio)) == (made or were)
        for old, new in zip(before.streams.audio, after.streams.audio, strict=True):
            assert new.layout.nb_channels == old.layout.nb_channels
            assert new.rate == old.rate
    for number in range(len(codecs)):
        assert clicks_in(output, number) == pytest.approx(
            [0.3 + 0.1 * number], abs=0.005
        )


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.mkv", ".mkv"), ("a.mkv", ".mp4"), ("a.mp4", ".mp4")]
)
def test_language_title_and_purpose_are_kept_and_no_other_tag(name, suffix, tmp_path):
    text = "subrip" if name == "a.mkv" else "mov_text"
    path = write_recording(
        tmp_path / name,
        Sound(
            tags={"language": "eng", "title": "Speech", "encoder": "Anna's"},
            disposition=Disposition.default,
        ),
        Sound(
            tags={"language": "deu", "title": "Remarks", "comment": "Anna's"},
            disposition=Disposition.comment,
        ),
        Sound(tags={"handler_name": "GoPro AAC"}),
        Subtitles(text, tags={"language": "fra"}, disposition=Disposition.forced),
    )
    note, output = result_of(path, suffix)
    assert note == ""
    assert _tags(output, "audio") == [
        ("eng", "Speech", Disposition.default),
        ("deu", "Remarks", Disposition.comment),
        ("und", "", 0),
    ]
    ((language, _, disposition),) = _tags(output, "subtitle")
    assert language == "fra"
    assert disposition & Disposition.forced
    assert b"Anna" not in output.read_bytes()
    assert b"GoPro" not in output.read_bytes()


def test_languages_of_mov_are_those_of_its_table(tmp_path):
    path = write_recording(tmp_path / "a.mkv", Sound(tags={"language": "deu"}))
    _, output = result_of(path, ".mov")
    assert _tags(output, "audio") == [("ger", "", Disposition.default)]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["subrip", "ass", "webvtt"])
def test_subtitles_that_are_text_are_shown_when_they_were(codec, suffix, tmp_path):
    tracks = Subtitles(codec), Subtitles(codec, cues=((0, 200, "drei \u00fc\nvier"),))
    path = write_recording(tmp_path / "a.mkv", *tracks)
    note, output = result_of(path, suffix)
    assert note == ""
    with av.open(str(output)) as container:
        made = {_codec(stream) for stream in container.streams.subtitles}
    assert made == {codec if suffix == ".mkv" else "mov_text"}
    for number, cues in enumerate((CUES, [(0.0, 0.2, "drei \u00fc\nvier")])):
        for found, cue in zip(cues_in(output, number), cues, strict=True):
            assert found == (*(pytest.approx(t, abs=0.002) for t in cue[:2]), cue[2])


@pytest.mark.parametrize(
    ("name", "suffix", "codec"),
    [
        ("a.mp4", ".mp4", "mov_text"),
        ("a.mov", ".mov", "mov_text"),
        ("a.mp4", ".mkv", "subrip"),
        ("a.mp4", ".webm", "webvtt"),
        ("a.webm", ".webm", "webvtt"),
        ("a.webm", ".mp4", "mov_text"),
    ],
)
def test_subtitles_of_other_containers(name, suffix, codec, tmp_path):
    text = Subtitles("webvtt" if name == "a.webm" else "mov_text")
    pictures = "libvpx-vp9" if ".webm" in (suffix, name[1:]) else "mpeg4"
    path = write_recording(tmp_path / name, text, pictures=pictures)
    note, output = result_of(path, suffix)
    assert note == ""
    with av.open(str(output)) as container:
        assert _codec(container.streams.subtitles[0]) == codec
    assert cues_in(output) == [pytest.approx(cue) for cue in CUES]


def test_cues_that_overlap_are_shown_together_and_styles_left_out(tmp_path):
    cues = (
        (100, 400, "{\\an8\\i1}a{\\i0} <b"),
        (200, 300, "b"),
        (200, 600, "c"),
        (500, 700, "{\\p1}m 0 0 l 9 9{\\p0}"),
        (650, 700, "d"),
    )
    path = write_recording(tmp_path / "a.mkv", Subtitles("ass", cues))
    shown = cues_in(result_of(path, ".mp4")[1])
    assert [text for *_, text in shown] == ["a <b", "a <b\nb\nc", "a <b\nc", "c", "d"]
    times = [time for *both, _ in shown for time in both]
    expected = [0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.6, 0.65, 0.7]
    assert times == pytest.approx(expected, abs=0.002)


def test_cues_without_an_end_are_shown_until_the_next_and_those_far_away_end():
    """A duration of 0 is none; the last one's start is beyond whole numbers."""
    cues = [(0.0, math.inf, "a"), (1.0, 2.0, "b"), (1e18, math.inf, "c")]
    shown = [*_one_at_a_time(iter(cues))]
    assert shown[:2] == [(0.0, 1.0, "a"), (1.0, 2.0, "b")]
    assert [text for *_, text in shown[2:]] == ["c"]


def _with(path: pathlib.Path, plain: pathlib.Path, *data: tuple) -> pathlib.Path:
    """A copy of a recording with streams of other codecs, of one packet each.

    Args:
      data: codec, tags and content.
    """
    with av.open(str(plain)) as read, av.open(str(path), "w") as out:
        streams = [out.add_stream_from_template(s, opaque=True) for s in read.streams]
        packets = []
        for codec, tags, content in data:
            is_data = codec == "bin_data"
            add = out.add_data_stream if is_data else out.add_mux_stream
            packets.append((add(codec), av.Packet(content)))
            packets[-1][0].metadata.update(tags)
        if path.suffix == ".mp4":
            out.streams.video[0].metadata["timecode"] = "01:02:03:04"
        for stream, packet in packets:
            packet.stream, packet.time_base = stream, MILLISECOND
            packet.pts = packet.dts = 100
            packet.duration = 300
            out.mux(packet)
        for packet in read.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    return path


def test_subtitles_that_are_pictures_are_copied_or_named(tmp_path):
    """Two segments of PGS, of which the second ends a picture."""
    segments = b"\x16\0\x0b" + bytes(11) + b"\x80\0\0"
    plain = write_recording(tmp_path / "plain.mkv", Sound())
    pictures = ("hdmv_pgs_subtitle", {"language": "deu"}, segments)
    path = _with(tmp_path / "a.mkv", plain, pictures)
    note, output = result_of(path, ".mkv")
    assert note == ""
    with av.open(str(output)) as container:
        packets = [bytes(p) for p in container.demux(subtitles=0) if p.size]
    assert packets == [segments]
    note, output = result_of(path, ".mp4")
    assert note == "left out: subtitles 1 (deu, pictures)"
    assert len(clicks_in(output)) == 1


def _chapters(path: pathlib.Path) -> list[tuple[float, float, str]]:
    """First and last second and title."""
    with av.open(str(path)) as container:
        return [
            (
                float(chapter["start"] * chapter["time_base"]),
                float(chapter["end"] * chapter["time_base"]),
                chapter["metadata"].get("title", ""),
            )
            for chapter in container.chapters()
        ]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.mkv", ".mkv"), ("a.mkv", ".mp4"), ("a.mp4", ".mp4"), ("a.mov", ".mov")],
)
def test_chapters_are_kept_with_their_titles(name, suffix, tmp_path):
    titles = [(0, 400, "Anf\u00e4nge"), (400, 1000, "Ende")]

    def add(out):
        out.set_chapters(
            [
                {"id": number, "start": start, "end": end, "time_base": MILLISECOND}
                | {"metadata": {"title": title, "comment": "Anna's"}}
                for number, (start, end, title) in enumerate(titles, 7)
            ]
        )

    path = write_recording(tmp_path / name, Sound(), before=add)
    note, output = result_of(path, suffix)
    assert note == ""
    assert _chapters(output) == [(0, 0.4, titles[0][2]), (0.4, 1.0, titles[1][2])]
    assert b"Anna's" not in output.read_bytes()


def test_chapters_that_a_container_refuses_are_found_out_before():
    chapter = {"id": 1, "start": 2**62, "end": 2**62 + 1}
    chapter |= {"time_base": fractions.Fraction(1), "metadata": {}}
    assert not takes_chapters([chapter], OUTPUT_FORMATS[".mkv"])
    assert takes_chapters([chapter | {"start": 1, "end": 2}], OUTPUT_FORMATS[".mkv"])


def test_fonts_are_kept_and_what_may_show_somebody_is_not(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "JPEG")

    def add(out):
        out.add_attachment("a.ttf", "font/ttf", FONT)
        out.add_attachment("notes.txt", "text/plain", "\u00fc".encode())
        out.add_attachment("cover.jpg", "image/jpeg", file.getvalue())
        out.add_attachment("hidden.ttf", "font/ttf", file.getvalue())
        out.add_attachment("more.zip", "application/zip", b"PK\3\4")
        out.add_attachment("page.html", "text/html", b"<img>")

    path = write_recording(tmp_path / "a.mkv", Sound(), before=add)
    note, output = result_of(path, ".mkv")
    named = ["cover picture", *(f"attachment {n}" for n in ("hidden.ttf", "more.zip"))]
    assert note == f"left out: {', '.join([*named, 'attachment page.html'])}"
    with av.open(str(output)) as container:
        files = {s.name: (s.mimetype, s.data) for s in container.streams.attachments}
    assert files == {
        "a.ttf": ("font/ttf", FONT),
        "notes.txt": ("text/plain", "\u00fc".encode()),
    }
    note, output = result_of(path, ".mp4")
    assert note.startswith("left out: attachment a.ttf, attachment notes.txt, cover")
    with av.open(str(output)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_places_and_clocks_are_left_out_and_named(tmp_path):
    tracks = Sound(tags={"language": "eng"}), Subtitles("mov_text")
    plain = write_recording(tmp_path / "plain.mp4", *tracks)
    data = [
        ("bin_data", {"handler_name": handler}, b"N 48 51 E 2 17")
        for handler in ("GoPro MET", "Other")
    ]
    note, output = result_of(_with(tmp_path / "a.mp4", plain, *data), ".mp4")
    assert note == "left out: GPS data, data 2, timecode"
    assert b"N 48" not in output.read_bytes()
    with av.open(str(output)) as container:
        kinds = [stream.type for stream in container.streams]
    assert kinds == ["video", "audio", "subtitle"]


def test_sound_that_is_not_wanted_is_not_named(tmp_path):
    path = write_recording(tmp_path / "a.mkv", Sound(), Subtitles(), Sound())
    note, output = result_of(path, ".mp4", keep_audio=False)
    assert note == ""
    with av.open(str(output)) as container:
        assert [stream.type for stream in container.streams] == ["video", "subtitle"]
    assert len(cues_in(output)) == 2


def test_tags_that_are_not_unicode_cost_nothing(tmp_path):
    path = write_recording(tmp_path / "a.mkv", Sound(tags={"title": "J@rgen"}))
    path.write_bytes(path.read_bytes().replace(b"J@rgen", b"J\xfcrgen"))
    note, output = result_of(path, ".mkv")
    assert note == ""
    assert _tags(output, "audio")[0][1] == "J\ufffdrgen"


def test_the_tool_writes_all_of_it(tmp_path):
    tracks = Sound(), Subtitles(), Sound("flac", clicks=(0.2, 0.8)), Sound()
    path = write_recording(tmp_path / "a.mkv", *tracks)
    output = tmp_path / "out.mp4"
    with transcode(Video(path), output, True, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)
    assert writer.note == ""
    assert len(read_clip(output)[0]) == 10
    assert [len(clicks_in(output, number)) for number in range(3)] == [1, 2, 1]
    assert len(cues_in(output)) == 2
    with opened(output) as container:
        kinds = [stream.type for stream in container.streams]
    assert kinds == ["video", "audio", "subtitle", "audio", "audio"]
