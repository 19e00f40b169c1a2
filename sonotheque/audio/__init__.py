"""Read audio: decode a file or bytes, mix it down to mono, resample it, and compute its log-mel spectrogram.

This package depends on no network and no library.
"""

from sonotheque.audio.decode import Decoder, open_decoder
from sonotheque.audio.mel import LogMel, mel_filters
from sonotheque.audio.mono import MonoStream, load
from sonotheque.audio.source import Source

__all__ = ["Decoder", "LogMel", "MonoStream", "Source", "load", "mel_filters", "open_decoder"]
