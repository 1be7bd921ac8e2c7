"""The people of a clip: who they are, with pictures, and edits that delete, merge, restore or name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.workflow.people.edits import delete_person as delete_person
    from emc.workflow.people.edits import merge_persons as merge_persons
    from emc.workflow.people.edits import name_athletes as name_athletes
    from emc.workflow.people.edits import person_edit as person_edit
    from emc.workflow.people.edits import restore_person as restore_person
    from emc.workflow.people.edits import store_person_edit as store_person_edit
    from emc.workflow.people.edits import take_back_people as take_back_people
    from emc.workflow.people.listing import ClipPeople as ClipPeople
    from emc.workflow.people.listing import ListedPerson as ListedPerson
    from emc.workflow.people.listing import list_people as list_people
    from emc.workflow.people.listing import refuse_unknown as refuse_unknown
    from emc.workflow.people.pictures import person_square as person_square
    from emc.workflow.people.pictures import write_pictures as write_pictures
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.workflow.people.edits": [
                "delete_person",
                "merge_persons",
                "name_athletes",
                "person_edit",
                "restore_person",
                "store_person_edit",
                "take_back_people",
            ],
            "emc.workflow.people.listing": ["ClipPeople", "ListedPerson", "list_people", "refuse_unknown"],
            "emc.workflow.people.pictures": ["person_square", "write_pictures"],
        },
    )
