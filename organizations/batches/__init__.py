"""Several operations in one request, as OData's `$batch` has them: what every service shares.

`parts` says what a batch and its answer are made of, `multipart` reads and writes their older
form, `running` carries operations out one after another and change sets as one.
"""
