"""Every error that sonotheque raises on purpose; each message names the file or the value and the remedy.

::

    SonothequeError
    ├── AudioError               one file cannot be used
    │   ├── MissingFileError     there is no such file, or it cannot be opened
    │   ├── EmptyFileError       it has no bytes
    │   ├── NotAudioError        no decoder recognises it
    │   ├── NoSamplesError       it decodes to nothing
    │   └── InvalidSamplesError  NaN or infinite samples
    ├── SpaceError               a space or an embedder is unknown or does not fit
    ├── WeightsError             a network's file is missing or not the one it should be
    ├── LibraryError             the library cannot be opened or does not hold what was asked for
    ├── LabelsError              a file of labels, ids or rows is unusable
    └── ClassifierError          there is no classifier, or it does not fit the library or the data
"""


class SonothequeError(Exception):
    """Parent of all errors of this package."""


class AudioError(SonothequeError):
    """One audio file cannot be used; the other files are not affected."""


class MissingFileError(AudioError):
    """There is no such file, or it cannot be opened."""


class EmptyFileError(AudioError):
    """The file has no bytes."""


class NotAudioError(AudioError):
    """No decoder recognises the file."""


class NoSamplesError(AudioError):
    """The file is audio, but it decodes to no sample."""


class InvalidSamplesError(AudioError):
    """The file holds NaN or infinite samples."""


class SpaceError(SonothequeError):
    """A space or an embedder is unknown, or vectors of different spaces meet."""


class WeightsError(SonothequeError):
    """A network's file is missing or is not the one it should be."""


class LibraryError(SonothequeError):
    """The library cannot be opened, or it does not hold what was asked for."""


class LabelsError(SonothequeError):
    """A file of labels, ids or rows is unusable."""


class ClassifierError(SonothequeError):
    """There is no classifier, or it does not fit the library or the data."""
