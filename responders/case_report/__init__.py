"""A case for those who were not there: one page with what happened, what is so now, and the proof.

`facts` reads the record into plain values, `picture` draws them, `render` writes them as HTML,
Markdown or JSON. Nothing here asks AWS: a report must be possible without credentials.
"""
