"""All thresholds on distances between descriptors; numbers alone are dlib's."""

from anonygan_jax.recognition.table import DLIB, MOBILEFACENET, RECOGNISERS

# Below, to its source: a result is rejected, unless a black patch is as near; FAR 1%.
ENOUGH_DISTANCES = {
    name: RECOGNISERS[name].thresholds[0].distance for name in (DLIB, MOBILEFACENET)
}
# Below: it is always rejected; FAR 0.01%.
LEAST_DISTANCES = {
    name: RECOGNISERS[name].thresholds[-1].distance for name in (DLIB, MOBILEFACENET)
}

SAME_PHOTO = 0.35  # below: two donors are one person under two names
NEAREST_DONOR = 0.5  # below: a composite resembles a donor and is rejected
MAX_KEEP_DISTANCE = 0.45  # below, to a --keep photo: a face is kept
CERTAINLY_SAME = 0.45  # below: two faces of one video are one person beyond doubt
SAME_PERSON = 0.6  # below: two faces are one person; dlib's own threshold
MIN_OTHER_DISTANCE = 0.7  # above, to the --only photos: a face is kept
# Below, to the source: a condition is never used.
MIN_CONDITION_DISTANCES = {DLIB: 0.7, MOBILEFACENET: 1.25}
# Below, to the source: a condition costs more.
PREFERRED_DISTANCES = {DLIB: 0.85, MOBILEFACENET: 1.55}
