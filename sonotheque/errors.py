"""The exceptions of sonotheque. Each message names the file or value at fault and says what to do about it.

::

    SonothequeError
    ├── AudioError               an audio file cannot be used
    │   ├── MissingFileError     the file does not exist or cannot be opened
    │   ├── EmptyFileError       the file is empty
    │   ├── NotAudioError        no decoder recognises the file
    │   ├── NoSamplesError       the file decodes to no samples
    │   └── InvalidSamplesError  the file holds NaN or infinite samples
    ├── SpaceError               a space, an embedder or one of its options is unknown or unsuitable
    ├── WeightsError             a weights file is missing or is not the expected one
    ├── LibraryError             the library cannot be opened or lacks the requested data, or an output must not be written
    ├── LabelsError              a table of labels, ids or tracks cannot be used
    ├── ParameterError           a number is outside its range
    └── ClassifierError          there is no classifier, or it does not match the library or the data
"""


class SonothequeError(Exception):
    """Base class of all errors of this package."""


class AudioError(SonothequeError):
    """An audio file cannot be used. Other files are not affected."""


class MissingFileError(AudioError):
    """The file does not exist or cannot be opened."""


class EmptyFileError(AudioError):
    """The file is empty."""


class NotAudioError(AudioError):
    """No decoder recognises the file."""


class NoSamplesError(AudioError):
    """The file is audio, but it decodes to no samples."""


class InvalidSamplesError(AudioError):
    """The file holds NaN or infinite samples."""


class SpaceError(SonothequeError):
    """A space, an embedder or one of its options is unknown, or vectors of different spaces would be mixed."""


class WeightsError(SonothequeError):
    """A weights file is missing or is not the expected one."""


class LibraryError(SonothequeError):
    """The library cannot be opened or does not hold the requested data, or an output file must not or cannot be written."""


class LabelsError(SonothequeError):
    """A table of labels, ids or tracks cannot be used."""


class ParameterError(SonothequeError, ValueError):
    """A number is outside its range."""


class ClassifierError(SonothequeError):
    """There is no classifier, or it does not match the library or the data."""
