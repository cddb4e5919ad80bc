"""The command anonygan demo: a local page to try the methods."""

import contextlib
import os
from typing import Any

import click

from anonygan_jax.cli.demo_files import ended_by_signals, upload_folder
from anonygan_jax.cli.demo_uploads import FITTING, Uploads, no_worker
from anonygan_jax.cli.options import device_option
from anonygan_jax.composites.bank import embedded_bank, load_bank
from anonygan_jax.io import extras
from anonygan_jax.io.onnx_device import CPU
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.methods import (
    DEFAULT_METHOD,
    EMBEDDED_CHECKPOINT,
    WITHOUT_TRAINING,
    methods_of_checkpoint,
)
from anonygan_jax.weights.checkpoint_folder import CheckpointError

HEADERS = ["face", "what happened", "new face", "distance"]
KEPT_FOR = (60, 600)  # seconds: how often old files are deleted, and their age
CLAIM = """
# anonygan
**Every face replaced by one that belongs to nobody, in the same pose.** Everything
happens on this computer: nothing is sent anywhere; uploads are deleted in the end.
"""
ADVICE = (
    "Check results before you publish: a face that no detector finds is unchanged. "
    "A distance above 0.6 means that dlib's recogniser takes the result for another "
    "person."
)


def build_page(uploads: Uploads, checkpoint: str = EMBEDDED_CHECKPOINT) -> Any:
    """Returns the page, not yet served.

    Args:
      uploads: does the work.
      checkpoint: of the trained method.

    Raises:
      CheckpointError: the folder has no checkpoint.
    """
    import gradio as gr

    trained = methods_of_checkpoint(checkpoint)
    methods = [*WITHOUT_TRAINING, *trained]
    first = DEFAULT_METHOD if checkpoint == EMBEDDED_CHECKPOINT else trained[0]
    people = sorted(set(load_bank(embedded_bank()).people))
    with gr.Blocks(
        title="anonygan", analytics_enabled=False, delete_cache=KEPT_FOR
    ) as page:
        gr.Markdown(CLAIM)
        with gr.Row():
            method = gr.Radio(methods, value=first, label="How faces are hidden")
            person = gr.Dropdown(
                [FITTING, *people],
                value=FITTING,
                label="New face (warp, auto, anonygan)",
            )
        with gr.Tab("Photo"):
            _photo_tab(gr, uploads, method, person, gr.State(checkpoint))
        with gr.Tab("Video"):
            _video_tab(gr, uploads, method, person, gr.State(checkpoint))
        gr.Markdown(ADVICE)
    return page


def _photo_tab(
    gr: Any, uploads: Uploads, method: Any, person: Any, checkpoint: Any
) -> None:
    """The tab for photos: upload, before and after."""
    with gr.Row():
        with gr.Column(scale=2):
            photo = gr.Image(
                label="Photo", type="filepath", sources=["upload", "clipboard"]
            )
            # Gradio would open it first, with every decoder, and say only "Error".
            photo.preprocess = lambda file: file and file.path
            seed = gr.State(0)
            again = gr.Button("Other faces")
        with gr.Column(scale=3):
            slider = gr.ImageSlider(
                label="Before and after", type="numpy", format="png", buttons=[]
            )
            summary_text = gr.Markdown()
            file = gr.DownloadButton("Download the result", elem_id="download-photo")
            report = gr.Dataframe(headers=HEADERS, interactive=False, wrap=True)
    shown = [slider, report, file, summary_text]
    inputs = [photo, method, person, seed, checkpoint]
    for event in (photo.upload, method.change, person.change):
        event(uploads.anonymise_photo, inputs, shown)
    again.click(lambda n: n + 1, seed, seed).then(
        uploads.anonymise_photo, inputs, shown
    )


def _video_tab(
    gr: Any, uploads: Uploads, method: Any, person: Any, checkpoint: Any
) -> None:
    """The tab for videos: upload, result."""
    with gr.Row():
        with gr.Column(scale=2):
            clip = gr.Video(label="Clip", sources=["upload"])
            start = gr.Button("Hide faces", variant="primary")
        with gr.Column(scale=3):
            result = gr.Video(label="Result", interactive=False)
            summary_text = gr.Markdown()
            file = gr.DownloadButton("Download the result", elem_id="download-video")
            report = gr.Dataframe(headers=HEADERS, interactive=False, wrap=True)
    inputs = [clip, method, person, checkpoint]
    shown = [result, report, file, summary_text]
    start.click(uploads.anonymise_upload, inputs, shown)


@contextlib.contextmanager
def served_page(
    port: int | None = None, checkpoint: str = EMBEDDED_CHECKPOINT, device: str = CPU
) -> Any:
    """Serves the page to this computer alone; gives its address and the page.

    Uploads are stored in a temporary folder, which is deleted when the block ends, and
    processed by another process.

    Raises:
      MissingPackage: Gradio is missing.
      CheckpointError: see `build_page`.
      OSError: the port is taken.
    """
    extras.require("anonygan demo", "demo", "gradio")
    with upload_folder() as folder:
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        with WorkerPool.in_processes(no_worker, 1) as pool:
            page = build_page(Uploads(pool, device), checkpoint)
            _, address, _ = page.queue(max_size=8).launch(
                server_name="127.0.0.1",
                server_port=port,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                footer_links=[],
            )
            try:
                yield address, page
            finally:
                pool.kill()  # nobody waits for what is in progress
                page.close()


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="[default: a free one]")
@click.option(
    "--checkpoint",
    default=EMBEDDED_CHECKPOINT,
    metavar="DIR",
    help="The --workdir of a training run, to try its method.",
)
@device_option
def demo(port: int | None, checkpoint: str, device: str) -> None:
    """Serves a page on this computer: drop a photo or a short clip, compare, download.

    Nothing leaves the computer; what was uploaded is deleted when the page is closed.
    """
    try:
        served = served_page(port, checkpoint, device)
        with ended_by_signals(), served as (address, page):
            click.echo(f"open {address} in a browser; Ctrl-C ends it")
            page.block_thread()
    except (OSError, CheckpointError) as error:
        raise click.ClickException(str(error)) from error
