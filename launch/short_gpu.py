"""Trains on a GPU that is lent for minutes: nothing is tuned before the first step.

    python -m launch.short_gpu --config=configs/faces.py:gpu --workdir=runs/faces

As `python -m anonygan_jax.main`, whose flags it takes. XLA tries cuDNN's algorithms for
each convolution, which took minutes for the default model on an H200; untried, they
trained 49 pairs a second. So the config computes convolutions as products of matrices
(`config.model.convolution = "matmul"`): cuBLAS picks well untried, 3,079 pairs a second
after 46 seconds (docs/SCALING.md). They take nine times the memory for a 3x3 kernel:
for networks of this width, not for `configs/celeba.py:paper`. The reported share of the
peak ("mfu") leaves them out, as XLA does not count what cuBLAS does.
"""

import os

from absl import app

# Triton's products would be tuned, too.
UNTUNED = "--xla_gpu_autotune_level=0 --xla_gpu_enable_triton_gemm=false"

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = f"{UNTUNED} {os.environ.get('XLA_FLAGS', '')}"
    from anonygan_jax.main import main  # defines its flags, as others' entry points do

    app.run(main)
