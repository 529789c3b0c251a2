"""How AWS's names become ours."""

import re

# Words that the general rule would split wrongly.
_WHOLE_WORDS = ["ETag", "CRC32C", "CRC64NVME", "IPv4", "IPv6"]
_SPLIT_WORDS = {"SSEKMS": ["sse", "kms"], "SSES3": ["sse", "s3"], "IDs": ["ids"]}
_WORD = re.compile(
    "|".join(_WHOLE_WORDS)
    + "|"
    + "|".join(word + "(?![a-z])" for word in _SPLIT_WORDS)
    + r"|[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z]*[0-9]*|[a-z]+[0-9]*|[0-9]+"
)

_KEYWORDS = set(
    """alignas alignof and asm auto bool break case catch char class concept const constexpr
    continue co_await co_return co_yield default delete do double else enum explicit export extern
    false float for friend goto if inline int long mutable namespace new noexcept not nullptr
    operator or private protected public register requires return short signed sizeof static struct
    switch template this throw true try typedef typeid typename union unsigned using virtual void
    volatile while xor""".split()
)


def snake(name):
    """QueueUrl -> queue_url, SSEKMSKeyId -> sse_kms_key_id, ListObjectsV2 -> list_objects_v2."""
    words = []
    for word in _WORD.findall(name):
        words += _SPLIT_WORDS.get(word, [word.lower()])
    text = "_".join(words)
    return text + "_" if text in _KEYWORDS else text


def pascal(name):
    """AWS.SimpleQueueService.NonExistentQueue -> AWSSimpleQueueServiceNonExistentQueue."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
