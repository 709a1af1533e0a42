"""Blueprints: a job with its endpoints and rules as a file, applied by name.

    {"description": "...", "assumptions": ["..."],
     "job": {fields of createJob}, "endpoints": [{fields of addEndpointToJob}, ...]}

JSON or YAML. `${name}` in a text is filled in by `--set name=value`; `$${` stands for `${`. What a file leaves out
stays as it is (at creation: the API's default), null sets it back to the default, and what it gives is meant whole:
headers, body, metadata, rules and lists. A header that the API masks may say `***`: as it is stored; so does whatever
a file gives for one that is stored, unless `--secrets`.

document (the file) + stored (the API) -> plan (a value, pure) -> telling (lines) -> applying (requests).
"""
