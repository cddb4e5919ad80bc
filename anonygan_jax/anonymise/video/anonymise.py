"""Video in, video out, in two passes: all frames are analysed, then rendered.

Between both the people of the video are planned. The three steps may run in different
processes; planning alone depends on the files before.
"""

import dataclasses
import pathlib

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.known_faces import check_known_faces
from anonygan_jax.anonymise.results import PIXELATED, TrackReport, joined
from anonygan_jax.anonymise.video.analysis import Analysis
from anonygan_jax.anonymise.video.encoding import AS_SOURCE, Encoding
from anonygan_jax.anonymise.video.found_video import FoundVideo
from anonygan_jax.anonymise.video.frame_search import SEARCH_EVERY
from anonygan_jax.anonymise.video.planning import plan_tracks
from anonygan_jax.anonymise.video.render import Renderer
from anonygan_jax.anonymise.video.source import FRAMES_AHEAD, Video
from anonygan_jax.anonymise.video.transcode import transcode
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import prefetch_in_thread
from anonygan_jax.io.worker_process import sign_of_life


@dataclasses.dataclass(frozen=True)
class VideoResult:
    """What was done with a video.

    Attributes:
      num_frames: written.
      num_broken: packets that could not be decoded.
      tracks: what was done with each face.
      note: what else is not as in the original: its end, time stamps, sound, and
        streams that are left out.
    """

    num_frames: int
    num_broken: int
    tracks: tuple[TrackReport, ...]
    note: str = ""


def anonymise_video(
    anonymiser: Anonymiser,
    path: pathlib.Path,
    output: pathlib.Path,
    seed: str = "",
    search_every: int = SEARCH_EVERY,
    keep_audio: bool = True,
    kept_metadata: tuple[str, ...] = (),
    known: dict[int, list[Face]] | None = None,
    is_strict: bool = False,
    encoding: Encoding = AS_SOURCE,
) -> VideoResult:
    """Returns what was done with a video; its result is written, or nothing is.

    Args:
      output: its suffix is .mp4, .mov, .mkv or .webm.
      seed: of the selection of conditions.
      known: boxes of faces by frame; None to search.
      is_strict: whether a face that must be pixelated fails the video.

    Raises:
      VideoError: the video cannot be read, or a face would be pixelated and
        `is_strict`.
      RegionError: a region to hide or to search is outside the picture.
      KnownFaceError: a known face is in no frame, or outside the picture.
      NoFaceError: no face was detected, and there is no region to pixelate; nothing is
        written.
      OSError: the file cannot be written.
    """
    video = Video(path, encoding, output.suffix)
    with find_in_video(anonymiser, video, search_every, known) as found:
        found.check_faces(anonymiser)
        plans = plan_tracks(anonymiser, found.people, seed)
        renderer = Renderer(anonymiser, plans, found.store)
        return write_video(
            video, output, found, renderer, keep_audio, kept_metadata, is_strict
        )


def find_in_video(
    anonymiser: Anonymiser,
    video: Video,
    search_every: int = SEARCH_EVERY,
    known: dict[int, list[Face]] | None = None,
) -> FoundVideo:
    """Returns the faces of a video, which is to be closed; remembers nobody.

    Args:
      known: boxes of faces by frame; None to search.

    Raises:
      VideoError, RegionError, KnownFaceError: see `anonymise_video`.
    """
    analysis = Analysis(anonymiser, search_every, known)
    try:
        analysis.run(video)
        if not analysis.num_frames:
            raise VideoError(f"{video.path}: not one frame could be decoded")
        check_known_faces(known or {}, analysis.num_frames, analysis.shape)
    except BaseException:  # an interrupt, too
        analysis.close()
        raise
    return FoundVideo(
        analysis.store,
        analysis.people,
        analysis.num_frames,
        video.offsets,
        video.rate,
    )


def write_video(
    video: Video,
    output: pathlib.Path,
    found: FoundVideo,
    renderer: Renderer,
    keep_audio: bool = True,
    kept_metadata: tuple[str, ...] = (),
    is_strict: bool = False,
) -> VideoResult:
    """Returns what was done with a video whose faces are planned; writes its result.

    Raises:
      VideoError: the video cannot be read, or a face would be pixelated and
        `is_strict`.
      OSError: the file cannot be written.
    """
    video.offsets, video.rate = found.offsets, found.rate
    with transcode(video, output, keep_audio, kept_metadata) as (frames, writer):
        # Decoding, rendering and encoding run in parallel.
        with (
            prefetch_in_thread(frames, FRAMES_AHEAD) as decoded,
            prefetch_in_thread(map(renderer, decoded), FRAMES_AHEAD) as rendered,
        ):
            for frame in rendered:
                writer.frame(frame)
                sign_of_life()
        if renderer.num_frames != found.num_frames:
            raise VideoError(
                f"{video.path}: {found.num_frames} frames at first, "
                f"{renderer.num_frames} when read again"
            )
        reports = renderer.reports()
        pixelated = [t.reason for t in reports if t.status == PIXELATED]
        if is_strict and pixelated:
            raise VideoError(
                f"{video.path}: a face would be pixelated ({pixelated[0]})"
            )
    note = joined(video.note, writer.note)
    return VideoResult(renderer.num_frames, video.num_broken, reports, note)
