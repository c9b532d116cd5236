"""What is thought of a server's words: the classifier's judgement, remembered."""

import re
from collections.abc import Callable
from functools import lru_cache

from contactctl.responses.classify import Classification, Classifier

CACHED_CLASSIFICATIONS = 4_096

# a long word of letters and digits, or a long number: no word of any language, no reply code
_QUEUE_ID = re.compile(r"\b(?=[a-z]{0,40}\d)[a-z\d]{8,}\b", re.ASCII | re.IGNORECASE)

Classify = Callable[[str, str, str], Classification]
"""(diagnostic, enhanced status, reply code) -> classification."""


def cached(classifier: Classifier) -> Classify:
    """The classifier's judgement, remembered for the texts seen lately.

    Queue ids make texts unlike that mean the same, so that a text not seen is asked for without.
    """

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify_without_ids(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classify_without_ids(_QUEUE_ID.sub("#", diagnostic), status, reply_code)

    return classify
