"""Options of encoders: how well they encode, and how large a result may get."""

from typing import Any

from anonygan_jax.anonymise.video.encoding import HIGH, QUALITIES

LARGEST = 1.1  # times the bits a second of the source; containers add some
BUFFER = 10  # seconds in which it may be used otherwise: less would starve key frames
# Bits a second: above it encoders refuse a limit, below it time stamps are damaged.
MOST = {"libsvtav1": 90_000_000}
MOST_OF_OTHERS, LEAST = 150_000_000, 20_000

# Constant rate factors of HIGH, MEDIUM and SMALL.
_RATE_FACTORS = {
    "libx264": (21, 26, 31),
    "libx265": (20, 25, 30),
    "libsvtav1": (22, 32, 42),
    "libvpx-vp9": (20, 30, 40),
    "libvpx": (4, 16, 30),
}
_VP8_WORST = (12, 30, 50)  # quantisers, of 63
_OPTIONS: dict[str, dict[str, str]] = {
    # Where time stamps are damaged, frames that seem short would get no bits.
    "libx264": {"preset": "veryfast", "x264-params": "force-cfr=1"},
    "libx265": {"preset": "fast", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "8"},
    "libvpx-vp9": {"deadline": "good", "cpu-used": "5", "row-mt": "1"},
    # Opacity does not go with its alternate frames.
    "libvpx": {"deadline": "good", "cpu-used": "5", "auto-alt-ref": "0"},
}
_PRORES_PROFILES = {
    **{"Proxy": "0", "LT": "1", "Standard": "2", "HQ": "3", "4444": "4", "XQ": "5"}
}


def options_of(name: str, quality: str, profile: Any, rate: int) -> dict[str, str]:
    """Returns FFmpeg's options, which limit the size by the source's bits a second.

    Args:
      name: FFmpeg's, of the encoder.
      quality: one of QUALITIES.
      profile: of the source's codec.
      rate: bits a second of the source; 0 if they are not known.
    """
    if name == "prores_ks":
        return {"profile": _PRORES_PROFILES.get(str(profile), "3")}
    level = QUALITIES.index(quality)
    if not LEAST <= rate <= MOST.get(name, MOST_OF_OTHERS):
        rate = 0
    options = dict(_OPTIONS.get(name, {}))
    most = str(round(rate * LARGEST))
    if name.startswith("libvpx"):
        options |= {"crf": str(_RATE_FACTORS[name][level]), "b": most if rate else "0"}
        if name == "libvpx":  # a limit alone, or none, gives it no quality
            options |= {"b": most if rate else "100M", "qmax": str(_VP8_WORST[level])}
        return options
    if name in _RATE_FACTORS:
        options["crf"] = str(_RATE_FACTORS[name][level])
    else:
        factor = str(_RATE_FACTORS["libx265"][level])
        options |= {"cq": factor, "rc": "vbr"} if "nvenc" in name else {}
        options |= {"global_quality": factor} if "qsv" in name else {}
    if rate and quality == HIGH:
        options |= {"maxrate": most, "bufsize": str(round(rate * LARGEST * BUFFER))}
    return options
