"""The embedded mini data set: rendered clips in the Something-Something manner, 8 classes that differ only in order.

``classes`` names the classes; ``textures``, ``sprites`` and ``scene`` draw frames (functions on arrays); ``video``
encodes them; ``layout``, ``folder`` and ``build`` write the data set. Import the submodules: this file imports nothing.
"""
