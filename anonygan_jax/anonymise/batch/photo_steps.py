"""The steps of a photo, page by page: any process may do any of them."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.known_faces import check_known_faces
from anonygan_jax.anonymise.photo import mark
from anonygan_jax.anonymise.photo.image_io import ImageFile, open_image
from anonygan_jax.anonymise.photo.writing import Changed, write_image
from anonygan_jax.anonymise.results import (
    KEPT,
    PIXELATED,
    FaceReport,
    FoundFace,
    Plan,
    joined,
)
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.photos import PhotoError

Pages = list[list[FoundFace]]  # faces by page
PagePlans = list[list[Plan]]


@dataclasses.dataclass(frozen=True)
class PhotoResult:
    """What was done with the faces of a written photo, and what else is different."""

    faces: tuple[FaceReport, ...]
    note: str


def find(anonymiser: Anonymiser, settings: Settings, task: Task) -> Pages:
    """Returns the faces of each page.

    Raises:
      NoFaceError: no page has a face or a region to pixelate.
      PhotoError, KnownFaceError, RegionError: the photo cannot be used, or what is
        known of it does not fit.
    """
    photo, found, missing = _opened(settings, task), Pages(), []
    for number, page in enumerate(photo.pages()):
        try:
            faces = _found(anonymiser, task, photo, number, page.view())
        except NoFaceError as error:
            missing.append(error)
            faces = []
        found.append(faces)
    if len(missing) == len(found):
        raise missing[0]
    return found


def plan(anonymiser: Anonymiser, task: Task, found: Pages) -> PagePlans:
    """Returns what is to be done with the faces; remembers people."""
    return [
        anonymiser.plan(faces, _seed(task, number))
        for number, faces in enumerate(found)
    ]


def write(
    anonymiser: Anonymiser, settings: Settings, task: Task, plans: PagePlans
) -> PhotoResult:
    """Writes the result of a planned photo.

    Raises:
      PhotoError: the photo cannot be used, or a face is pixelated and must not be.
      OSError: the result cannot be written.
    """
    photo, faces = _opened(settings, task), list[FaceReport]()
    replacers = {method.name for method in anonymiser.methods if anonymiser.replacer}

    def change(number: int, image_u8: np.ndarray) -> Changed:
        done = anonymiser.render(image_u8, plans[number])
        _check_strict(settings, done.faces)
        page = number if len(photo.numbers) > 1 else None
        faces.extend(dataclasses.replace(face, page=page) for face in done.faces)
        boxes = tuple(f.box_xyxy for f in done.faces if f.status != KEPT)
        address = settings.is_marked and mark.source_type(done.faces, replacers)
        return Changed(done.image, boxes, mark.packet(address) if address else None)

    note = write_image(task.staged, photo, change)
    empty = [n for n, page in enumerate(plans) if not page]
    if empty and any(plans):
        numbers = ", ".join(str(n + 1) for n in empty)
        note = joined(note, f"no face found on page {numbers}, check it")
    return PhotoResult(tuple(faces), note)


def copy(settings: Settings, task: Task) -> str:
    """Writes a photo as it is, but for its metadata; returns what is left out."""
    photo = _opened(settings, task)
    return write_image(task.staged, photo, lambda _, image_u8: Changed(image_u8))


def _opened(settings: Settings, task: Task) -> ImageFile:
    """The photo of a task."""
    return open_image(
        task.photo, settings.kept_metadata, round(settings.max_megapixels * 1e6)
    )


def _found(
    anonymiser: Anonymiser,
    task: Task,
    photo: ImageFile,
    number: int,
    image_u8: np.ndarray,
) -> list[FoundFace]:
    """The faces of one page."""
    seed, num_pages = _seed(task, number), len(photo.numbers)
    if task.known is None:
        return anonymiser.find(image_u8, seed=seed)
    outside = {n: task.known[n] for n in task.known if not 0 <= n < num_pages}
    here = task.known.get(number, [])
    check_known_faces({**outside, number: here}, num_pages, image_u8.shape)
    return anonymiser.find(image_u8, here, seed)


def _seed(task: Task, number: int) -> str:
    """The seed of a page."""
    return task.name if number == 0 else f"{task.name} page {number}"


def _check_strict(settings: Settings, faces: tuple[FaceReport, ...]) -> None:
    """Raises PhotoError if a face is pixelated, and that must not be."""
    pixelated = [face.reason for face in faces if face.status == PIXELATED]
    if pixelated and settings.is_strict:
        raise PhotoError(f"a face would be pixelated ({pixelated[0]})")
