"""All thresholds on distances between descriptors; numbers alone are dlib's."""

from anonygan_jax.recognition.table import DLIB, MOBILEFACENET, RECOGNISERS

# At FAR 1% and 0.01%.
_LARGEST, _SMALLEST = (
    {name: RECOGNISERS[name].thresholds[n].distance for name in (DLIB, MOBILEFACENET)}
    for n in (0, -1)
)
# Below, to its source: a result is rejected, unless a black patch is as near.
ENOUGH_DISTANCES = _LARGEST
LEAST_DISTANCES = _SMALLEST  # below: it is always rejected

SAME_PHOTO = 0.35  # below: two donors are one person under two names
# Below: a composite resembles a donor and is rejected. To MobileFaceNet half of the 102
# donors of the package's bank have another donor below 1.07.
NEAREST_DONORS = {DLIB: 0.5, MOBILEFACENET: 1.0}
# Below: it resembles another composite; as near are the two most alike of the donors.
NEAREST_COMPOSITES = {DLIB: 0.45, MOBILEFACENET: 0.9}
# Below, to a --keep photo: a face is kept. Of LFW 223 of 265 own photos are kept, and 0
# of 69,960 pairs of strangers; by dlib alone 223 and 21, below 0.45 148 and 2.
MAX_KEEP_DISTANCES = {DLIB: 0.5, MOBILEFACENET: _SMALLEST[MOBILEFACENET]}
CERTAINLY_SAME = 0.45  # below: two faces of one video are one person beyond doubt
# Below, a --keep and an --only photo: they show one person, and are refused.
CERTAINLY_SAME_DISTANCES = {
    DLIB: CERTAINLY_SAME,
    MOBILEFACENET: _SMALLEST[MOBILEFACENET],
}
SAME_PERSON = 0.6  # below: two faces are one person; dlib's own threshold
# Below, to an --only photo: a face is not kept by --keep. Below, by any: two --keep
# photos are one person's. Above, by any: a kept track has another person.
SAME_PERSON_DISTANCES = {DLIB: SAME_PERSON, MOBILEFACENET: _LARGEST[MOBILEFACENET]}
# Above, to the --only photos: a face is kept. Of LFW 0 of 265 own photos are, and
# 63,523 of 69,960 pairs of strangers; by dlib alone 0 and 63,713.
MIN_OTHER_DISTANCES = {DLIB: 0.7, MOBILEFACENET: _LARGEST[MOBILEFACENET]}
# Below, to the source: a condition is never used.
MIN_CONDITION_DISTANCES = {DLIB: 0.7, MOBILEFACENET: 1.25}
# Below, to the source: a condition costs more.
PREFERRED_DISTANCES = {DLIB: 0.85, MOBILEFACENET: 1.55}
