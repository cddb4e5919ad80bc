"""Shapes of dlib's face recogniser; source: see `dlib_resnet`."""

IMAGE_SIZE = 150  # pixels, height and width
NUM_FEATURES = 128
# Features and number of blocks of each level; all but the first begin by halving.
LEVELS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
FIRST_FEATURES, FIRST_SIDE = 32, 7
MEANS = (122.782, 117.001, 104.298)  # of red, green and blue, 0 to 255
SCALE = 256.0
