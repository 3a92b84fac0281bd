"""One door that every AWS call passes, whether moto runs as a decorator or as a server.

Layers stand behind it: the trail that records, the faults that tests order, the answers to what
moto lacks. `call` reads a request, `wire` writes an answer, `door` holds the layers.
"""
