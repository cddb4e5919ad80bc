"""Videos in, videos out: every frame's faces hidden, everything else as it was."""

import dataclasses
import json
import pathlib

import av
import numpy as np
import pytest
from click.testing import CliRunner
from clips import SIZE, STEP, pictures, read_clip, write_clip
from PIL import Image
from returning import Returning

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError, RegionError, VideoError
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.anonymise.replace import MAX_CONDITIONS
from anonygan_jax.anonymise.video import transcode
from anonygan_jax.anonymise.video.anonymise import (
    anonymise_video,
    find_in_video,
    write_video,
)
from anonygan_jax.anonymise.video.person import NUM_TRIAL_CROPS
from anonygan_jax.anonymise.video.planning import plan_tracks
from anonygan_jax.anonymise.video.render import Renderer
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.cli import main
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.face_mesh import FaceMesh
from anonygan_jax.methods.warp import Warp
from anonygan_jax.recognition.dlib import DlibDescriptor

COUNT = 18
TIMES = [n + n // 5 for n in range(COUNT)]  # now and then a frame stays longer

FIRST = 67  # a face that is unlike all of the bank


@pytest.fixture(scope="module")
def frames(embedded) -> list[np.ndarray]:
    return pictures([embedded[FIRST].image, embedded[-1].image], COUNT)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, frames) -> pathlib.Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_clip(path, frames, TIMES, "aac", location="+52.0/", title="a name")


@pytest.fixture(scope="module")
def warped(tmp_path_factory, clip):
    """What warp makes of the clip."""
    output = tmp_path_factory.mktemp("warped") / "clip.mp4"
    return output, anonymise_video(Anonymiser("warp"), clip, output)


def _hidden_everywhere(output: pathlib.Path, frames: list[np.ndarray]) -> bool:
    """Whether no frame shows a face that still looks like its source's."""
    describe, dlib = DlibDescriptor(), DlibLandmarks()
    hidden, _ = read_clip(output)
    assert len(hidden) == len(frames)
    for n in range(0, len(frames), 3):
        for face in dlib.detect(frames[n], num_upsamples=1):
            before = describe(frames[n], face.points_xy)
            apart = np.linalg.norm(describe(hidden[n], face.points_xy) - before)
            if apart < 0.5:
                return False
    return True


def test_each_frame_has_other_faces_and_the_rest_is_as_it_was(warped, frames):
    output, result = warped
    assert _hidden_everywhere(output, frames)
    hidden, _ = read_clip(output)
    for n in (0, 9, COUNT - 1):
        assert len(DlibLandmarks().detect(hidden[n], num_upsamples=1)) == 2
        wall = np.abs(hidden[n].astype(int) - frames[n])[:15]
        assert wall.mean() < 2
    assert result.num_frames == COUNT
    assert [track.status for track in result.tracks] == ["replaced"] * 2


@pytest.mark.parametrize("text", ["hide:320,0,9,9", "only:0,200,9,9"])
def test_a_region_outside_the_frames_is_refused(clip, tmp_path, text):
    anonymiser = Anonymiser("blackout", regions=(Region.parse(text),))
    with pytest.raises(RegionError, match=f"{text}: is outside the picture of 320x200"):
        anonymise_video(anonymiser, clip, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_people_keep_a_face_of_their_own(warped):
    _, result = warped
    conditions = [track.condition for track in result.tracks]
    assert len({condition[:10] for condition in conditions}) == 2
    assert [track.num_replaced for track in result.tracks] == [COUNT] * 2
    assert all(track.distances["dlib"] > 0.6 for track in result.tracks)


def test_a_track_keeps_the_method_whose_trials_passed(clip, tmp_path):
    alike, unlike = Returning("source"), Returning("condition")
    anonymiser = Anonymiser((alike, unlike))
    result = anonymise_video(anonymiser, clip, tmp_path / "out.mp4")
    assert {track.method for track in result.tracks} == {unlike.name}
    at_most = NUM_TRIAL_CROPS * MAX_CONDITIONS * len(result.tracks)
    assert len(result.tracks) <= alike.calls <= at_most
    assert unlike.calls == alike.calls + COUNT * len(result.tracks)


def test_frames_whose_result_looks_like_the_source_are_pixelated(
    clip, frames, tmp_path
):
    method = Returning("condition")
    anonymiser = Anonymiser(method)
    with find_in_video(anonymiser, Video(clip)) as found:
        plans = plan_tracks(anonymiser, found.people, "")
        method.what = "source"
        renderer = Renderer(anonymiser, plans, found.store)
        result = write_video(Video(clip), tmp_path / "out.mp4", found, renderer)
    reasons = {track.reason for track in result.tracks}
    assert reasons == {"a result looked like the source"}
    assert [track.num_pixelated for track in result.tracks] == [COUNT] * 2
    assert _hidden_everywhere(tmp_path / "out.mp4", frames)


def test_time_stamps_and_sound_are_kept_and_names_are_not(warped, clip):
    output, _ = warped
    times, before = read_clip(output)[1], read_clip(clip)[1]
    np.testing.assert_allclose(times, before, atol=1e-3)
    with av.open(str(output)) as new, av.open(str(clip)) as old:
        sounds = [
            [bytes(packet) for packet in container.demux(audio=0) if packet.size]
            for container in (new, old)
        ]
        assert sounds[0] == sounds[1] != []
        assert new.streams.video[0].codec_context.name == "h264"
        assert {"location", "title"} <= set(old.metadata)
        assert not {"location", "title"} & set(new.metadata)


def test_sound_can_be_left_out_and_names_kept(clip, tmp_path):
    for kept, keys in (((), set()), (("gps",), {"location"})):
        output = tmp_path / f"{len(kept)}.mp4"
        anonymise_video(
            Anonymiser("blur"), clip, output, keep_audio=False, kept_metadata=kept
        )
        with av.open(str(output)) as container:
            assert not container.streams.audio
            assert {"location", "title"} & set(container.metadata) == keys


def test_another_container_with_sound_that_mp4_has_not(tmp_path, frames):
    source = write_clip(tmp_path / "a.mkv", frames[:8], None, "pcm_s16le")
    anonymise_video(Anonymiser("blur"), source, tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert sum(frame.samples for frame in container.decode(audio=0)) > 15_000
    assert _hidden_everywhere(tmp_path / "a.mp4", frames[:8])


def test_frames_in_which_a_face_is_lost_are_hidden_all_the_same(
    clip, frames, tmp_path, monkeypatch
):
    follow, boxes = FaceMesh.follow, FaceDetector.boxes
    lost = range(6, 12)
    pixels = [frame.tobytes() for frame in read_clip(clip)[0]]

    def is_lost(image):
        return pixels.index(image.tobytes()) in lost

    monkeypatch.setattr(
        FaceMesh, "follow", lambda s, i, p: None if is_lost(i) else follow(s, i, p)
    )
    for name in ("boxes", "quick_boxes"):
        monkeypatch.setattr(
            FaceDetector, name, lambda s, i, *_, **__: [] if is_lost(i) else boxes(s, i)
        )
    result = anonymise_video(Anonymiser("pixelate"), clip, tmp_path / "a.mp4")
    assert [track.num_replaced for track in result.tracks] == [COUNT] * 2
    assert _hidden_everywhere(tmp_path / "a.mp4", frames)


def test_frames_before_a_face_is_first_found_are_hidden(
    clip, frames, tmp_path, monkeypatch
):
    boxes = FaceDetector.boxes
    first = [frame.tobytes() for frame in read_clip(clip)[0][:4]]
    for name in ("boxes", "quick_boxes"):
        monkeypatch.setattr(
            FaceDetector,
            name,
            lambda s, i, *_, **__: [] if i.tobytes() in first else boxes(s, i),
        )
    anonymise_video(Anonymiser("pixelate"), clip, tmp_path / "a.mp4")
    assert _hidden_everywhere(tmp_path / "a.mp4", frames)


@pytest.mark.parametrize("turns", [1, 2])
def test_turned_videos_come_out_upright(frames, tmp_path, turns):
    upright = frames[:6]
    turned = [np.ascontiguousarray(np.rot90(frame, -turns)) for frame in upright]
    path = write_clip(tmp_path / "a.mp4", turned)
    _say_turned(path, turns)
    anonymise_video(Anonymiser("blur"), path, tmp_path / "b.mp4")
    hidden, _ = read_clip(tmp_path / "b.mp4")
    assert hidden[0].shape[:2] == SIZE
    assert np.abs(hidden[0].astype(int) - upright[0])[:15].mean() < 3
    assert _hidden_everywhere(tmp_path / "b.mp4", upright)


def _say_turned(path: pathlib.Path, turns: int) -> None:
    """Writes a rotation into the track header of an MP4 file."""
    cos, sin = ((1, 0), (0, -1), (-1, 0), (0, 1))[turns]
    one = 1 << 16
    matrix = (cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    data[start : start + 36] = np.array(matrix, ">i4").tobytes()
    path.write_bytes(bytes(data))


def test_odd_sides_are_made_even(frames, tmp_path):
    odd = [np.ascontiguousarray(frame[:199, :319]) for frame in frames[:4]]
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = 199, 319, "bgr0"
        for image in odd:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    anonymise_video(Anonymiser("blur"), tmp_path / "a.avi", tmp_path / "a.mp4")
    hidden, _ = read_clip(tmp_path / "a.mp4")
    assert hidden[0].shape == (200, 320, 3)


def _raises(self, *_):
    raise ZeroDivisionError("a fault of ours")


@pytest.mark.parametrize("fault", [_raises, lambda self, faces, _: faces.images.copy()])
def test_whatever_fails_every_frame_is_pixelated(
    fault, clip, frames, tmp_path, monkeypatch
):
    monkeypatch.setattr(Warp, "__call__", fault)
    result = anonymise_video(Anonymiser("warp"), clip, tmp_path / "a.mp4")
    assert [track.num_pixelated for track in result.tracks] == [COUNT] * 2
    assert _hidden_everywhere(tmp_path / "a.mp4", frames)


def test_a_failing_encoder_leaves_nothing(clip, tmp_path, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transcode.Writer, "close", full)
    with pytest.raises(OSError, match="No space"):
        anonymise_video(Anonymiser("blur"), clip, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_broken_packets_are_left_out_and_counted(frames, tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=30)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "rgb24"
        for number, image in enumerate(frames[:10]):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    start = data.index(b"\x89PNG", len(data) // 2)
    data[start + 8 : start + 20] = bytes(12)
    path.write_bytes(bytes(data))
    result = anonymise_video(Anonymiser("blur"), path, tmp_path / "a.mp4")
    assert (result.num_frames, result.num_broken) == (9, 1)


def test_files_that_are_no_videos_are_reported(frames, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    write_clip(tmp_path / "cut.mp4", frames[:4])
    data = (tmp_path / "cut.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[:200])
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        tone = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), "fltp", "mono"
        )
        tone.sample_rate = 48000
        container.mux(stream.encode(tone))
        container.mux(stream.encode(None))
    blur = Anonymiser("blur")
    for name in ("text", "empty", "cut", "sound", "missing"):
        with pytest.raises(VideoError, match=rf"{name}\.mp4: "):
            anonymise_video(blur, tmp_path / f"{name}.mp4", tmp_path / "out.mp4")
    wall = [np.full((*SIZE, 3), 150, np.uint8)] * 3
    write_clip(tmp_path / "wall.mp4", wall)
    with pytest.raises(NoFaceError, match="no face found in 3 frames"):
        anonymise_video(blur, tmp_path / "wall.mp4", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


BLUR, WARP = ("--method", "blur"), ("--method", "warp")


def _run(*arguments: object):
    return CliRunner().invoke(main.main, ["anonymise", *map(str, arguments)])


@pytest.mark.usefixtures("in_this_process")
def test_the_command_takes_photos_and_videos_and_tells_of_both(
    clip, group_photo, tmp_path
):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "clip.mov").write_bytes(clip.read_bytes())
    (folder / "bad.mp4").write_text("no video")
    Image.fromarray(group_photo).save(folder / "group.png")
    out = tmp_path / "out"
    result = _run(folder, "--output", out, "--tracks", tmp_path / "faces.json", *WARP)
    assert result.exit_code == 2, result.output
    assert "bad.mp4: cannot be decoded" in result.output
    assert f"2 faces, {COUNT} frames" in result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "clip.mov",
        "group.png",
        "report.json",
    ]
    report = json.loads((out / "report.json").read_text())
    (video,) = [p for p in report["photos"] if p["photo"].endswith("clip.mov")]
    assert video["num_frames"] == COUNT
    assert [face["num_replaced"] for face in video["faces"]] == [COUNT] * 2
    again = _run(folder, "--output", out, *WARP)
    assert again.exit_code == 2
    assert json.loads((out / "report.json").read_text())["photos"] == report["photos"]


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.usefixtures("in_this_process")
def test_written_faces_can_be_given_back(clip, group_photo, frames, suffix, tmp_path):
    folder, table = tmp_path / "in", tmp_path / f"faces{suffix}"
    folder.mkdir()
    if suffix == ".csv":
        (folder / "clip.mp4").write_bytes(clip.read_bytes())
    Image.fromarray(group_photo).save(folder / "group.png")
    first = _run(folder, "--output", tmp_path / "a", "--tracks", table, *BLUR)
    assert first.exit_code == 0, first.output
    second = _run(folder, "--output", tmp_path / "b", "--boxes", table, *BLUR)
    assert second.exit_code == 0, second.output
    one, two = (Image.open(tmp_path / n / "group.png") for n in "ab")
    assert np.abs(np.asarray(one).astype(int) - np.asarray(two)).mean() < 0.05
    if suffix == ".csv":
        assert _hidden_everywhere(tmp_path / "b" / "clip.mp4", frames)


def test_a_table_says_where_it_is_wrong(clip, tmp_path):
    (tmp_path / "a.csv").write_text("file,x,y,width\nclip.mp4,1,2,3\n")
    row = {"file": "clip.mp4", "frame": 0, "x": 1, "y": 2, "width": 3}
    (tmp_path / "a.json").write_text(json.dumps([row]))
    for name, line in (
        ("a.csv", "must name the columns file, x, y, width, height"),
        ("a.json", "row 1 lacks 'height'"),
    ):
        result = _run(
            clip, "--output", tmp_path / "out", "--boxes", tmp_path / name, *BLUR
        )
        assert result.exit_code == 1
        assert line in result.output
    result = _run(
        clip, "--output", tmp_path / "out", "--tracks", tmp_path / "a.txt", *BLUR
    )
    assert "wanted a name that ends in .csv or .json" in result.output


def test_known_boxes_alone_are_hidden(clip, frames, tmp_path):
    face = DlibLandmarks().detect(frames[0], num_upsamples=1)[0]
    known = {
        n: [dataclasses.replace(face, points_xy=face.points_xy[:0])] for n in (0, 5)
    }
    result = anonymise_video(
        Anonymiser("pixelate"), clip, tmp_path / "a.mp4", known=known
    )
    assert len(result.tracks) == 1
    hidden, _ = read_clip(tmp_path / "a.mp4")
    left, right = slice(0, 160), slice(160, None)
    box = face.box_xyxy
    other = right if box[0] + box[2] < 320 else left
    for n in range(COUNT):
        difference = np.abs(hidden[n].astype(int) - frames[n])
        x, y = np.rint(face.points_xy[30] + [STEP * n % 20, 0]).astype(int)
        nose = difference[y - 15 : y + 15, x - 15 : x + 15]
        assert nose.mean() > 5, n
        assert difference[:, other].mean() < 2, n


def test_a_file_is_read_twice_alike(clip):
    video = Video(clip)
    first, second = ([f.pts for f in video.frames()] for _ in range(2))
    assert first == second
    assert len(first) == COUNT


def test_who_agreed_stays_in_every_frame(clip, frames, embedded, tmp_path):
    person = embedded[FIRST].identity
    other = [face for face in embedded if face.identity == person][1]
    Image.fromarray(other.image).save(tmp_path / "person.png")
    blur = Anonymiser("blur", keep=(str(tmp_path / "person.png"),))
    result = anonymise_video(blur, clip, tmp_path / "a.mp4")
    statuses = [(track.status, track.num_replaced) for track in result.tracks]
    assert sorted(statuses) == [("kept", 0), ("replaced", COUNT)]
    hidden, _ = read_clip(tmp_path / "a.mp4")
    for n in (0, 10, COUNT - 1):
        difference = np.abs(hidden[n].astype(int) - frames[n])
        assert difference[:, :160].mean() < 2 < difference[40:150, 200:280].mean()


@pytest.mark.usefixtures("in_this_process")
def test_results_of_one_name_are_named_apart(group_photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.gif", "a.ppm", "b.png"):
        Image.fromarray(group_photo).save(folder / name)
    result = _run(folder, "--output", tmp_path / "out", *BLUR)
    assert result.exit_code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.gif.png", "a.ppm.png", "b.png", "report.json"]


@pytest.mark.usefixtures("in_this_process")
def test_people_of_an_earlier_video_keep_their_face(clip, frames, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(clip.read_bytes())
    (folder / "b.mp4").write_bytes(clip.read_bytes())
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert _run(folder, "--output", whole, *WARP).exit_code == 0
    assert _run(folder / "a.mp4", "--output", parts, *WARP).exit_code == 0
    assert _run(folder, "--output", parts, *WARP).exit_code == 0
    reports = [
        json.loads((out / "report.json").read_text())["photos"]
        for out in (whole, parts)
    ]
    conditions = [
        [face["condition"] for video in report for face in video["faces"]]
        for report in reports
    ]
    assert conditions[0] == conditions[1]
    assert len(set(conditions[0])) == 2


def test_nothing_is_hidden_in_the_scenes_before_and_after(embedded, tmp_path):
    dark = np.full((*SIZE, 3), 40, np.uint8)
    shown = [dark] * 8 + pictures([embedded[FIRST].image], 8) + [dark] * 8
    path = write_clip(tmp_path / "a.mp4", shown)
    result = anonymise_video(Anonymiser("pixelate"), path, tmp_path / "b.mp4")
    assert [track.num_replaced for track in result.tracks] == [8]
    hidden, _ = read_clip(tmp_path / "b.mp4")
    for n in (*range(8), *range(16, 24)):
        assert np.abs(hidden[n].astype(int) - shown[n]).max() < 12, n
    assert _hidden_everywhere(tmp_path / "b.mp4", shown)


def test_a_face_that_comes_between_two_searches_is_hidden_from_the_start(
    frames, tmp_path
):
    wall = np.full((*SIZE, 3), 150, np.uint8)
    shown = [frames[0].copy() for _ in range(36)]
    for frame in shown[:18]:
        frame[:, 160:] = wall[:, 160:]  # the second face comes in frame 18
    path = write_clip(tmp_path / "a.mp4", shown)
    anonymise_video(Anonymiser("pixelate"), path, tmp_path / "b.mp4", search_every=15)
    assert _hidden_everywhere(tmp_path / "b.mp4", shown)
