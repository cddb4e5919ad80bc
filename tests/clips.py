"""Short videos of composites, made for tests."""

import pathlib

import av
import cv2
import numpy as np

SIZE = (200, 320)  # height, width
STEP = 2  # pixels that the faces move in a frame


def pictures(images: list[np.ndarray], count: int) -> list[np.ndarray]:
    """Frames in which faces drift over a grey wall."""
    frames = []
    for number in range(count):
        frame = np.full((*SIZE, 3), 150, np.uint8)
        for place, image in enumerate(images):
            small = cv2.resize(image, (131, 160), interpolation=cv2.INTER_AREA)
            left = 8 + 160 * place + STEP * number % 20
            frame[20:180, left : left + 131] = small
        frames.append(frame)
    return frames


def write_clip(
    path: pathlib.Path,
    frames: list[np.ndarray],
    times: list[int] | None = None,
    audio_codec: str | None = None,
    num_tones: int = 20,
    **metadata: str,
) -> pathlib.Path:
    """Writes frames, shown at `times` in thirtieths of a second, and a tone.

    Args:
      num_tones: parts of the tone, 1024/48000 of a second each.
    """
    flags = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=flags) as container:
        container.metadata.update(metadata)
        video = container.add_stream("libx264", rate=30)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "10"}
        audio = None
        if audio_codec:
            audio = container.add_stream(audio_codec, rate=48000)
            audio.layout = "mono"
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = times[number] if times else number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio:
            for number in range(num_tones):
                wave = np.sin(np.arange(1024) / 20)[None].astype(np.float32)
                tone = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                tone.sample_rate, tone.pts = 48000, 1024 * number
                container.mux(audio.encode(tone))
            container.mux(audio.encode(None))
    return path


def read_clip(path: pathlib.Path) -> tuple[list[np.ndarray], list[float]]:
    """Frames and when they are shown, in seconds."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    images = [frame.to_ndarray(format="rgb24") for frame in decoded]
    return images, [float(frame.time) for frame in decoded]
