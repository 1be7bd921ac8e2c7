"""The consent text that participants see where a study brings none of its own."""

from __future__ import annotations

CONSENT = """What this is about. We compare two ways of correcting where the joints of a person are in a video. You \
will mark joints in short clips, once by each way, and answer a few questions about how demanding it was.

How long it takes. Between half an hour and two hours, depending on the clips. You can pause at any time.

What is recorded. Where you place joints, how long it takes, when you pause, and your answers. Not recorded: your \
name, your address, pictures or sound of you. You get an anonymous number; nobody can tell from it who you are.

Your choice. Taking part is voluntary. You can stop at any time, without a reason and without any disadvantage: \
"Withdraw" deletes all that was recorded of you.

What happens with it. The records are evaluated together with those of the others, and may be published in that \
anonymous form."""
