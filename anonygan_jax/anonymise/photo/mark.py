"""The mark of results: XMP that says, in IPTC's words, that a picture is edited."""

from collections.abc import Iterable

from anonygan_jax.anonymise.results import KEPT, PIXELATED, FaceReport
from anonygan_jax.methods.warp import Warp

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# A trained network drew a part; parts of other pictures were put in; a filter was used.
GENERATED = "compositeWithTrainedAlgorithmicMedia"
COMPOSED = "composite"
FILTERED = "algorithmicallyEnhanced"

_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>{address}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def source_type(faces: Iterable[FaceReport], replacers: Iterable[str]) -> str | None:
    """Returns the address of IPTC's digital source type; None if nothing was edited.

    Args:
      faces: what was done with each face of a picture.
      replacers: names of the methods that put new faces there; others filter.
    """
    kinds = {_kind(face, set(replacers)) for face in faces}
    best = next((k for k in (GENERATED, COMPOSED, FILTERED) if k in kinds), None)
    return best and VOCABULARY + best


def packet(address: str) -> bytes:
    """Returns an XMP packet that has a digital source type and nothing else."""
    return _PACKET.format(address=address).encode()


def _kind(face: FaceReport, replacers: set[str]) -> str | None:
    """What was done with a face."""
    if face.status == KEPT:
        return None
    if face.status == PIXELATED or face.method not in replacers:
        return FILTERED
    return COMPOSED if face.method == Warp.name else GENERATED
