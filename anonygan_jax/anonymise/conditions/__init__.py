"""Selection of the condition for each source."""

from anonygan_jax.anonymise.conditions.bank_selector import (
    BankSelector,
    load_conditions,
)
from anonygan_jax.anonymise.conditions.classes import ClassSelector
from anonygan_jax.anonymise.conditions.selector import ConditionSelector
from anonygan_jax.anonymise.identity_check import IdentityCheck
from anonygan_jax.composites.bank import Bank
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.methods.method import Replacer


def make_selector(
    method: Replacer,
    conditions: str | Bank,
    match_group: bool,
    detector: FaceDetector,
    check: IdentityCheck,
) -> ConditionSelector:
    """Returns the selector of the kind of conditions that a method takes.

    Raises:
      BankError, ConditionError, PhotoError: the conditions cannot be used.
    """
    if method.num_classes is not None:
        return ClassSelector(conditions, method.num_classes)
    if isinstance(conditions, str):
        conditions = load_conditions(conditions, detector, check)
    return BankSelector(conditions, match_group)
