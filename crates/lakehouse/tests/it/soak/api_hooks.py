"""What Schemathesis is told beside the description: names that are there, and that a fault inside is never an answer."""

import schemathesis

# What a lake of this test holds, by the name of a part of a path.
KNOWN = {
    "name": ["workers", "points"],
    "index": ["points"],
    "table": ["workers"],
    "namespace": ["default"],
    "version": ["1"],
    "id": ["a"],
    "key": ["key"],
    "tag": ["first"],
}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name that is long enough to have been made up becomes one that is there."""
    for part, names in KNOWN.items():
        made_up = (path_parameters or {}).get(part)
        if isinstance(made_up, str) and len(made_up) % 2 == 0:
            path_parameters[part] = names[len(made_up) // 2 % len(names)]
    return path_parameters


@schemathesis.check
def no_fault_inside(context, response, case):
    """500 is described, so that whoever meets one knows what to do; nobody should meet one."""
    assert response.status_code != 500, f"a fault inside: {response.text[:500]}"
