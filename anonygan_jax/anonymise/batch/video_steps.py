"""The steps of a video, by files in `Task.scratch`: any process may do any of them."""

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.anonymise.video.anonymise import (
    VideoResult,
    find_in_video,
    write_video,
)
from anonygan_jax.anonymise.video.found_video import FoundVideo
from anonygan_jax.anonymise.video.plan_pickle import pack_plans, unpack_plans
from anonygan_jax.anonymise.video.planning import TrackPlan, plan_tracks
from anonygan_jax.anonymise.video.render import Renderer
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.io.atomic_write import atomic_write

_PLANS = "plans"  # name of a file


def find(anonymiser: Anonymiser, settings: Settings, task: Task) -> None:
    """Finds the faces; raises as `find_in_video`, and NoFaceError."""
    video, every = _video(settings, task), settings.search_every
    with find_in_video(anonymiser, video, every, task.known) as found:
        found.check_faces(anonymiser)
        found.save(task.scratch)


def plan(anonymiser: Anonymiser, task: Task) -> None:
    """Plans the tracks that were found; remembers people."""
    with FoundVideo.load(task.scratch) as found:
        plans = plan_tracks(anonymiser, found.people, task.name)
    with atomic_write(task.scratch / _PLANS) as partial:
        partial.write_bytes(pack_plans(plans, anonymiser.methods))


def write(anonymiser: Anonymiser, settings: Settings, task: Task) -> VideoResult:
    """Writes the result of a planned video; raises as `write_video`."""
    plans = _plans(anonymiser, task)
    with FoundVideo.load(task.scratch) as found:
        renderer = Renderer(anonymiser, plans, found.store)
        return write_video(
            _video(settings, task),
            task.staged,
            found,
            renderer,
            settings.keep_audio,
            settings.kept_metadata,
            settings.is_strict,
        )


def _video(settings: Settings, task: Task) -> Video:
    """The video of a task."""
    return Video(task.photo, settings.encoding, task.output.suffix.lower())


def _plans(anonymiser: Anonymiser, task: Task) -> dict[int, TrackPlan]:
    """The plans of the tracks."""
    packed = (task.scratch / _PLANS).read_bytes()
    return unpack_plans(packed, anonymiser.methods)
