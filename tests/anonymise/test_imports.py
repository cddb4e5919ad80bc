"""What the tool does without."""

import subprocess
import sys

import numpy as np


def test_the_tool_imports_neither_jax_nor_tensorflow(group_photo, tmp_path):
    program = (
        "import sys; from anonygan_jax import Anonymiser;"
        "import numpy as np; photo = np.load(sys.argv[1]);"
        "[Anonymiser(name)(photo) for name in ('blur', 'warp', 'auto')];"
        "import anonygan_jax.cli.anonymise;"
        "print([name for name in ('jax', 'flax', 'orbax', 'optax', 'tensorflow',"
        " 'tensorflow_datasets', 'ml_collections', 'tensorstore') "
        "if name in sys.modules])"
    )
    np.save(tmp_path / "photo.npy", group_photo)
    command = [sys.executable, "-c", program, str(tmp_path / "photo.npy")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout == "[]\n", result.stderr
