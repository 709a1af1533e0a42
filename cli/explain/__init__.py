"""Why an endpoint's next run is when it is, in plain words, and what happens when that which rules now ends.

Pure but for command.py: from the answers of getEndpoint, getJob and listEndpointEvents to lines.
"""
