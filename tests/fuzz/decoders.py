"""What is fuzzed: valid small files, the function that reads one, its errors."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


@dataclasses.dataclass(frozen=True)
class Decoder:
    """A path from a file to memory.

    Attributes:
      seeds: valid files by suffix.
      read: reads the file; a failure is one of `errors`, or the program is wrong.
      errors: documented by `read`.
    """

    seeds: dict[str, list[bytes]]
    read: Callable[[pathlib.Path], object]
    errors: tuple[type[Exception], ...]


def photos() -> Decoder:
    """Photos as the tool reads them, with all metadata kept."""
    from anonygan_jax.anonymise.photo.image_io import open_image
    from anonygan_jax.anonymise.photo.metadata import GROUPS
    from anonygan_jax.io.photos import PhotoError

    image = Image.fromarray(RNG.integers(0, 255, (24, 32, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    wanted = (
        *(("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB")),
        *(("PNG", "P"), ("PNG", "RGBA"), ("PNG", "I;16"), ("WEBP", "RGBA")),
        *(("TIFF", "RGB"), ("TIFF", "I;16"), ("BMP", "RGB"), ("GIF", "P")),
        *(("PPM", "RGB"), ("PPM", "L"), ("AVIF", "RGB"), ("EPS", "RGB")),
    )
    seeds = []
    for kind, mode in wanted:
        packed, other = io.BytesIO(), image
        if mode == "I;16":
            other = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16))
        elif mode != "RGB":
            other = image.convert(mode)
        tags = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {}
        other.save(packed, kind, **tags)
        seeds.append(packed.getvalue())
    for compression in ("tiff_lzw", "jpeg", "packbits", "tiff_deflate", "group4"):
        packed = io.BytesIO()
        other = image.convert("1") if compression == "group4" else image
        other.save(packed, "TIFF", compression=compression)
        seeds.append(packed.getvalue())

    def read(path: pathlib.Path) -> object:
        return list(open_image(path, GROUPS).pages())

    return Decoder({".jpg": seeds}, read, (PhotoError,))


def videos() -> Decoder:
    """Videos with sound and subtitles, read and written again."""
    from clips import pictures, write_clip
    from recordings import Sound, Subtitles, write_recording

    from anonygan_jax.anonymise.errors import VideoError
    from anonygan_jax.anonymise.video.source import FRAMES_AHEAD, Video
    from anonygan_jax.anonymise.video.transcode import transcode
    from anonygan_jax.io.prefetch import prefetch_in_thread

    images = [RNG.integers(0, 255, (40, 33, 3), np.uint8)]
    frames = [frame[:64, :96] for frame in pictures(images, 4)]
    kinds = (
        *((".mp4", "aac"), (".mkv", "flac"), (".avi", "mp3"), (".ts", "mp2")),
        *((".mov", "aac"), (".flv", "aac"), (".mpg", "mp2"), (".mkv", None)),
    )
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, codec in kinds:
            path = pathlib.Path(folder) / f"a{suffix}"
            write_clip(path, frames, audio_codec=codec)
            seeds.append(path.read_bytes())
        for suffix, text in ((".mkv", "ass"), (".mp4", "mov_text")):
            path = pathlib.Path(folder) / f"b{suffix}"
            tracks = Sound("mp2"), Subtitles(text)
            write_recording(path, *tracks, Sound("ac3"))
            seeds.append(path.read_bytes())

    def read(path: pathlib.Path) -> object:
        video, out = Video(path), path.with_name("out.mp4")
        with transcode(video, out, True, ("time",)) as (images, writer):
            has_frames = False
            with prefetch_in_thread(images, FRAMES_AHEAD) as decoded:
                for image in decoded:
                    writer.frame(image)
                    has_frames = True
            if not has_frames:
                raise VideoError("not one frame could be decoded")

    return Decoder({".mp4": seeds}, read, (VideoError,))


def lists() -> Decoder:
    """Lists of photos, and of pairs of photos."""
    from anonygan_jax.evaluation.collect.pair_lists import PairListError, read_pairs
    from anonygan_jax.io.inputs import find_photos
    from anonygan_jax.io.photos import PhotoError

    paths = b"a.jpg\nb/c.png\n\n../d.jpg\n/e.jpg\n\xc3\xa4.png\n"
    pairs = b"2 1\nA 1 2\nB 1 C 2\nA 2 3\nB 2 C 1\n"

    def read(path: pathlib.Path) -> object:
        with contextlib.suppress(PairListError):
            read_pairs(path)
        return [photo.name for photo in find_photos([path])]

    errors = (PhotoError, FileNotFoundError)
    return Decoder({".txt": [paths, pairs]}, read, errors)


def _table(suffix: str, columns: tuple[str, ...], rows: list[list]) -> bytes:
    """A table as CSV or JSON."""
    if suffix == ".json":
        return json.dumps(
            [dict(zip(columns, row, strict=True)) for row in rows]
        ).encode()
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()


def _faces(columns: tuple[str, ...], rows: list[list]) -> Decoder:
    """Tables of faces."""
    from anonygan_jax.anonymise.batch.known_table import read_faces
    from anonygan_jax.anonymise.batch.table import TracksError

    seeds = {s: [_table(s, columns, rows)] for s in (".csv", ".json")}
    return Decoder(seeds, read_faces, (TracksError,))


def boxes() -> Decoder:
    """Boxes found by another program."""
    columns = ("file", "frame", "x", "y", "width", "height")
    return _faces(columns, [["a.mp4", 0, 1, 2, 30, 40], ["b.jpg", 7, 0.5, -2, 3, 4]])


def tracks() -> Decoder:
    """Tables of --tracks, with landmarks."""
    from anonygan_jax.anonymise.batch.table import COLUMNS

    row = ["a.mp4", 3, 0.1, 0, 1, 2, 30, 40, 0.9, -0.4, *range(136)]
    return _faces(COLUMNS, [row, row])


def checkpoints() -> Decoder:
    """Generators of runs: the damaged file is one of a folder's."""
    from anonygan_jax.weights.checkpoint_folder import CheckpointError, checkpoint_path
    from anonygan_jax.weights.generator_checkpoint import load_generator

    files = {
        path.relative_to(checkpoint_path("embedded")): path.read_bytes()
        for path in checkpoint_path("embedded").rglob("*")
        if path.is_file() and path.suffix != ".md"
    }
    small = [(str(name), data) for name, data in files.items() if len(data) < 60_000]
    seeds = [name.encode() + b"\n" + data for name, data in small]

    def read(path: pathlib.Path) -> object:
        name, _, damaged = path.read_bytes().partition(b"\n")
        folder = path.with_name("run")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(checkpoint_path("embedded"), folder)
        known = [n for n, _ in small if n.encode() == name]
        (folder / (known[0] if known else "config.json")).write_bytes(damaged)
        return load_generator(folder)

    return Decoder({".item": seeds}, read, (CheckpointError,))


def torch_files() -> Decoder:
    """State dicts of PyTorch in both formats."""
    from golden_values import FOLDER

    from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict

    seeds = [(FOLDER / name).read_bytes() for name in ("zip.pt", "stream.pt")]

    def read(path: pathlib.Path) -> object:
        tensors = read_state_dict(path)
        return [np.array(tensor).sum() for tensor in tensors.values()]

    return Decoder({".pth": seeds}, read, (TorchFileError,))


def packs() -> Decoder:
    """Packs of faces, and their pictures."""
    from anonygan_jax.data.dataset import FaceDataset
    from anonygan_jax.data.pack import FacePack, PackError, write_pack

    class Store:
        size, zoom = (24, 20), 1.0

        def __len__(self) -> int:
            return 3

        def images(self, indices: list[int]) -> list[np.ndarray]:
            return [RNG.integers(0, 255, (24, 20, 3), np.uint8) for _ in indices]

    points = RNG.normal(10, 3, (3, 68, 2)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.npz"
        faces = FaceDataset([Store()], [points], (24, 20), 1.0)
        write_pack(path, faces, ["ann", "ann", "bob"], 90)
        seeds = [path.read_bytes()]

    def read(path: pathlib.Path) -> object:
        pack = FacePack(path)
        return pack.labels(), pack.images(range(len(pack)))

    return Decoder({".npz": seeds}, read, (PackError,))


def records() -> Decoder:
    """Folders of prepared faces: the damaged file is one of a folder's."""
    from anonygan_jax.data.records import FaceRecords, RecordsError, _resolve

    source = _resolve("embedded")
    files = [path for path in source.iterdir() if path.is_file()]
    names = [path.name for path in files]
    seeds = [p.name.encode() + b"\n" + p.read_bytes() for p in files]

    def read(path: pathlib.Path) -> object:
        name, _, damaged = path.read_bytes().partition(b"\n")
        folder = path.with_name("records")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        known = [n for n in names if n.encode() == name]
        (folder / (known[0] if known else names[0])).write_bytes(damaged)
        faces = FaceRecords(folder)
        return faces.labels(), faces.read(range(min(4, len(faces))))

    return Decoder({".item": seeds}, read, (RecordsError,))


def reports() -> Decoder:
    """Reports and journals of folders of results."""
    from anonygan_jax.anonymise.batch import entries, journal
    from anonygan_jax.anonymise.batch.contents import About
    from anonygan_jax.anonymise.batch.file_results import PIXELATED, FileResult
    from anonygan_jax.anonymise.results import TrackReport
    from anonygan_jax.anonymise.settings import Settings

    about = About.of(Settings("blur"))
    track = TrackReport(PIXELATED, "lost", (1, 2, 3, 4), lost=((0.0, 1.5),))
    done = FileResult("a.mp4", PIXELATED, "a.mp4", faces=(track,), num_frames=10)
    names = {".json": journal.REPORT, ".jsonl": journal.JOURNAL}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        writer = journal.Journal(folder, about)
        writer.add("a.mp4", done)
        writer.add("b.jpg", dataclasses.replace(done, photo="b.jpg", faces=()))
        seeds = {".jsonl": [(folder / journal.JOURNAL).read_bytes()]}
        writer.finish(lambda _: "")
        seeds[".json"] = [(folder / journal.REPORT).read_bytes()]

    def read(path: pathlib.Path) -> object:
        folder = path.with_name("results")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(path, folder / names[path.suffix])
        return journal.Journal(folder, about).of("a.mp4")

    return Decoder(seeds, read, (entries.ReportError,))


def banks() -> Decoder:
    """Banks of conditions: the damaged file is one of a folder's."""
    from anonygan_jax.composites.bank import (
        BANK_FILE,
        FACES_FILE,
        BankError,
        embedded_bank,
        load_bank,
    )

    names = {".json": BANK_FILE, ".npz": FACES_FILE}
    seeds = {s: [(embedded_bank() / names[s]).read_bytes()] for s in names}

    def read(path: pathlib.Path) -> object:
        folder = path.with_name("bank")
        folder.mkdir(exist_ok=True)
        for name in names.values():
            shutil.copy(embedded_bank() / name, folder)
        shutil.copy(path, folder / names[path.suffix])
        bank = load_bank(folder)
        return [bank.of_person(person) for person in bank.people[:2]]

    return Decoder(seeds, read, (BankError,))


DECODERS: dict[str, Callable[[], Decoder]] = {
    make.__name__: functools.cache(make)
    for make in (
        *(photos, videos, lists, boxes, tracks, checkpoints),
        *(torch_files, packs, records, reports, banks),
    )
}
