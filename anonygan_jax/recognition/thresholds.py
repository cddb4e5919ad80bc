"""All thresholds on distances between dlib's descriptors, the least first."""

SAME_PHOTO = 0.35  # below: two donors are one person under two names
NEAREST_DONOR = 0.5  # below: a composite resembles a donor and is rejected
MAX_KEEP_DISTANCE = 0.5  # below, to a --keep photo: a face is kept
CERTAINLY_SAME = 0.45  # below: two faces of one video are one person beyond doubt
SAME_PERSON = 0.6  # below: two faces are one person; dlib's own threshold
MIN_RESULT_DISTANCE = 0.62  # below, to its source: a result is rejected
MIN_CONDITION_DISTANCE = 0.7  # below, to the source: a condition is never used
MIN_OTHER_DISTANCE = 0.7  # above, to the --only photos: a face is kept
# Below, to the source: a condition costs more. From here on 1% of the results look like
# the source, at 0.8 10% (measured on LFW).
PREFERRED_DISTANCE = 0.85
