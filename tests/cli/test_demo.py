"""The local page: through its own protocol, and in a browser."""

import shutil
import time

import numpy as np
import pytest
from clips import pictures, write_clip
from PIL import Image

from anonygan_jax.cli import demo
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks


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
            photo, "warp", demo.FITTING, api_name="/anonymise_photo"
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
            demo.FITTING,
            api_name="/anonymise_upload",
        )
        assert "1 face hidden" in said
        assert "6 frames" in said
        folder = demo.upload_folder()
        assert list(folder.rglob("*.png"))
    assert not folder.exists()


def test_what_cannot_be_hidden_is_reported(tmp_path, monkeypatch):
    wall = np.full((60, 80, 3), 150, np.uint8)
    assert "No face found" in demo.anonymise_photo(wall, "blur", demo.FITTING, 0)[-1]
    assert "Drop a photo" in demo.anonymise_photo(None, "blur", demo.FITTING, 0)[-1]
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "a.mp4").write_text("no video")
    said = demo.anonymise_upload(str(tmp_path / "a.mp4"), "blur", demo.FITTING)[-1]
    assert "cannot be decoded" in said


def test_a_person_of_the_bank_can_be_chosen(group_photo):
    anonymiser = demo.make_anonymiser("warp", "person_007", "embedded")
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
