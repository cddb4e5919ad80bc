"""The local page: through its own protocol, and in a browser."""

import os
import pathlib
import shutil
import signal
import struct
import time
import zlib

import numpy as np
import pytest
from clips import pictures, write_clip
from PIL import Image

from anonygan_jax.anonymise.video import side_contents
from anonygan_jax.cli import demo, demo_uploads
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.io.photos import read_photo
from anonygan_jax.io.worker_pool import WorkerPool


@pytest.fixture
def group_file(group_photo, tmp_path) -> str:
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    return str(tmp_path / "group.png")


@pytest.mark.slow  # Gradio
def test_the_page_hides_a_photo_and_a_clip_and_keeps_nothing(
    group_file, embedded, tmp_path
):
    import gradio_client

    clip = write_clip(tmp_path / "clip.mp4", pictures([embedded[0].image], 6))
    with demo.served_page() as (address, _):
        assert address.startswith("http://127.0.0.1:")
        client = gradio_client.Client(address, verbose=False)
        photo = gradio_client.handle_file(group_file)
        images, report, file, said = client.predict(
            photo, "warp", demo_uploads.FITTING, api_name="/anonymise_photo"
        )
        assert "2 faces hidden" in said
        assert [row[1] for row in report["data"]] == ["replaced"] * 2
        result = np.asarray(Image.open(file))
        before = np.asarray(Image.open(group_file))
        assert len(DlibLandmarks().detect(result)) == 2
        assert np.abs(result.astype(int) - before).max() > 30
        assert len(images) == 2
        *_, said = client.predict(
            gradio_client.handle_file(str(clip)),
            "blur",
            demo_uploads.FITTING,
            api_name="/anonymise_upload",
        )
        assert "1 face hidden" in said
        assert "6 frames" in said
        folder = pathlib.Path(os.environ["GRADIO_TEMP_DIR"])
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.rglob("*.png"))
    assert not folder.exists()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of many pixels in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packed = zlib.compress(bytes(1_000_000))
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


UPLOADS = {
    "text.jpg": (b"not a photo", "cannot be decoded"),
    "byte.png": (b"\0", "cannot be decoded"),
    "empty.jpg": (b"", "cannot be decoded"),
    "bomb.png": (_bomb(20_000, 20_000), "more than the limit of 200 megapixels"),
    "gap.png": (_bomb(12_000, 12_000), "cannot be decoded"),
    "eps.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 6\n", "decoded"),
    "picture.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be decoded"),
    "../../evil.jpg": (b"not a photo", "cannot be decoded"),
    "a\nb<b>.jpg": (b"not a photo", "cannot be decoded"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "page"))
    return tmp_path / "page"


@pytest.mark.parametrize("name", UPLOADS)
def test_what_is_no_photo_is_told_in_one_line(name, folder, tmp_path):
    content, text = UPLOADS[name]
    path = tmp_path / "upload" / name.replace("/", "_")
    path.parent.mkdir()
    path.write_bytes(content)
    shown = demo_uploads.anonymise_photo(str(path), "blur", demo_uploads.FITTING, 0)
    assert shown[:-1] == demo_uploads.NOTHING
    assert text in shown[-1]
    assert "\n" not in shown[-1]
    assert str(tmp_path) not in shown[-1]
    assert not list(folder.rglob("anonymous*"))


def test_what_cannot_be_hidden_is_reported(folder, tmp_path):
    wall = np.full((60, 80, 3), 150, np.uint8)
    Image.fromarray(wall).save(tmp_path / "wall.png")
    wall_file = str(tmp_path / "wall.png")
    for method in ("blur", "warp"):
        said = demo_uploads.anonymise_photo(wall_file, method, demo_uploads.FITTING, 0)[
            -1
        ]
        assert "No face found" in said
    assert (
        "Drop a photo"
        in demo_uploads.anonymise_photo(None, "blur", demo_uploads.FITTING, 0)[-1]
    )
    assert (
        "Drop a clip"
        in demo_uploads.anonymise_upload(None, "blur", demo_uploads.FITTING)[-1]
    )
    (tmp_path / "a.mp4").write_text("no video")
    said = demo_uploads.anonymise_upload(
        str(tmp_path / "a.mp4"), "blur", demo_uploads.FITTING
    )[-1]
    assert "cannot be decoded" in said
    assert str(tmp_path) not in said


def test_whatever_a_method_raises_the_page_goes_on(
    group_file, folder, embedded, tmp_path, monkeypatch
):
    clip = write_clip(tmp_path / "a.mp4", pictures([embedded[0].image], 3))
    for error in (MemoryError("no memory"), AssertionError("a fault of ours")):
        for module in ("write_photo", "anonymise_video"):

            def fails(*_, error=error, **__):
                raise error

            monkeypatch.setattr(demo_uploads, module, fails)
        for shown in (
            demo_uploads.anonymise_photo(group_file, "blur", demo_uploads.FITTING, 0),
            demo_uploads.anonymise_upload(str(clip), "blur", demo_uploads.FITTING),
        ):
            assert f"{type(error).__name__}: {error}" in shown[-1]


def test_a_clip_whose_sound_fails_is_shown_and_that_is_said(
    folder, embedded, tmp_path, monkeypatch
):
    def fails(*_):
        raise ValueError("broken")

    monkeypatch.setattr(side_contents, "make_sound", fails)
    frames = pictures([embedded[0].image], 3)
    clip = write_clip(tmp_path / "a.mp4", frames, audio_codec="aac")
    *shown, said = demo_uploads.anonymise_upload(
        str(clip), "blur", demo_uploads.FITTING
    )
    assert pathlib.Path(shown[0]).exists()
    assert said == "**1 face hidden.** 3 frames, left out: sound 1 (broken)."


def _with_a_fatal_photo() -> None:
    """Loads a process which the photo fatal.png kills, as a decoder might."""

    def read(path: str) -> np.ndarray:
        if path.endswith("fatal.png"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return read_photo(path)

    demo_uploads.read_photo = read


def test_an_upload_that_kills_the_decoder_is_told_and_the_next_one_hidden(
    group_file, folder, tmp_path
):
    fatal, fitting = tmp_path / "fatal.png", demo_uploads.FITTING
    shutil.copy(group_file, fatal)
    with WorkerPool.in_processes(_with_a_fatal_photo, 1) as pool:
        uploads = demo_uploads.Uploads(pool)
        shown = uploads.anonymise_photo(str(fatal), "blur", fitting, 0, "embedded")
        assert shown == (
            *demo_uploads.NOTHING,
            "**its process ended suddenly (SIGSEGV).** There is no result.",
        )
        shown = uploads.anonymise_photo(group_file, "blur", fitting, 0, "embedded")
        assert "2 faces hidden" in shown[-1]
        assert folder in pathlib.Path(shown[2]).parents
        said = uploads.anonymise_upload(group_file, "blur", fitting, "embedded")[-1]
        assert "There is no result" in said


@pytest.mark.slow  # Gradio
def test_the_page_survives_any_upload(group_file):
    import httpx

    with (
        demo.served_page() as (address, _),
        httpx.Client(base_url=f"{address}gradio_api", timeout=60) as page,
    ):
        uploads = pathlib.Path(os.environ["GRADIO_TEMP_DIR"])

        def upload(name: str, content: bytes) -> str:
            return page.post("/upload", files={"files": (name, content)}).json()[0]

        def told(path: str) -> str:
            file = {"path": path, "meta": {"_type": "gradio.FileData"}}
            call = "/call/anonymise_photo"
            event = page.post(
                call, json={"data": [file, "blur", demo_uploads.FITTING]}
            ).json()
            return page.get(f"{call}/{event['event_id']}").text

        for name, (content, text) in UPLOADS.items():
            path = upload(name, content)
            assert uploads in pathlib.Path(path).resolve().parents
            answer = told(path)
            assert answer.startswith("event: complete"), name
            assert text in answer, name
        for outside in (group_file, "/etc/passwd", f"{uploads}/../x.jpg"):
            assert "event: error" in told(outside)
        path = upload("a.png", pathlib.Path(group_file).read_bytes())
        assert "2 faces hidden" in told(path)


def test_a_person_of_the_bank_can_be_chosen(group_photo):
    anonymiser = demo_uploads.make_anonymiser("warp", "person_007", "embedded")
    conditions = {face.condition for face in anonymiser(group_photo).faces}
    assert all(name is None or name.startswith("person_007") for name in conditions)
    assert any(conditions)


@pytest.mark.slow
def test_the_page_in_a_browser(group_file, tmp_path):
    from selenium import webdriver
    from selenium.webdriver.common.by import By

    assert shutil.which("chromium"), "apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(tmp_path / "down")}
    )
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with (
        demo.served_page() as (address, _),
        webdriver.Chrome(options=options, service=service) as browser,
    ):
        browser.get(address)
        find = browser.find_elements
        _wait(lambda: find(By.CSS_SELECTOR, "input[type=file]"))
        find(By.CSS_SELECTOR, "input[type=file]")[0].send_keys(group_file)
        _wait(lambda: "2 faces hidden" in find(By.TAG_NAME, "body")[0].text)
        _wait(lambda: len(find(By.CSS_SELECTOR, ".slider-wrap img, img")) > 1)
        find(By.ID, "download-photo")[0].click()
        _wait(lambda: list((tmp_path / "down").glob("anonymous*.png")))
        entries = "return performance.getEntriesByType('resource').map(e => e.name)"
        for name in browser.execute_script(entries):
            assert name.startswith((address, "data:", "blob:")), name
    (file,) = (tmp_path / "down").glob("*.png")
    assert len(DlibLandmarks().detect(np.asarray(Image.open(file)))) == 2


def _wait(condition) -> None:
    """Until something is so, for a minute at most."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited a minute in vain")
